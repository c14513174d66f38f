"""The Python packages that the collection needs beside Ansible's own, imported in one place.

This file is private to the collection.

Without them the plugins still load, so that their documentation can be read. Actions report what is missing: see :data:`MISSING`.
"""

from __future__ import annotations

from typing import Any

#: what to tell a user who lacks packages; empty where all are there
MISSING = ""

try:
    import certifi
    import requests
    from azure.core import AzureClouds
    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.core.pipeline import PipelineRequest, PipelineResponse
    from azure.core.pipeline.policies import HeadersPolicy, RequestIdPolicy, RetryPolicy, SansIOHTTPPolicy, UserAgentPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.polling.base_polling import OperationFailed
    from azure.core.rest import HttpRequest
    from azure.identity import AzureCliCredential, ClientSecretCredential, ManagedIdentityCredential
    from azure.mgmt.core import ARMPipelineClient
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
    from azure.mgmt.core.polling.arm_polling import ARMPolling
    from azure.mgmt.core.tools import get_arm_endpoints
    from requests.adapters import HTTPAdapter
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError as error:
    MISSING = f"dualstack.aks lacks Python packages ({error}). Install the collection's requirements.txt where Ansible runs."

    class Absent(Exception):
        """Stands for a class of a package that is missing, so that others can be derived from it."""

        def __class_getitem__(cls, _parameters: Any) -> type[Absent]:
            return cls

    def __getattr__(name: str) -> type[Absent]:
        if name.startswith("__"):
            raise AttributeError(name) from None
        return Absent


__all__ = [
    "MISSING",
    "ARMChallengeAuthenticationPolicy",
    "ARMPipelineClient",
    "ARMPolling",
    "AzureCliCredential",
    "AzureClouds",
    "AzureError",
    "ClientSecretCredential",
    "HTTPAdapter",
    "HeadersPolicy",
    "HttpRequest",
    "HttpResponseError",
    "ManagedIdentityCredential",
    "OperationFailed",
    "PipelineRequest",
    "PipelineResponse",
    "RequestIdPolicy",
    "RequestsTransport",
    "RetryPolicy",
    "SansIOHTTPPolicy",
    "TokenCredential",
    "UserAgentPolicy",
    "certifi",
    "create_urllib3_context",
    "get_arm_endpoints",
    "requests",
]

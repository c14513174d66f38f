# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  subscription_id:
    description: The subscription; else C(AZURE_SUBSCRIPTION_ID), else the credentials file.
    type: str
  client_id:
    description: Client id of the service principal, or of the managed identity; else C(AZURE_CLIENT_ID).
    type: str
  secret:
    description: Client secret; else C(AZURE_SECRET).
    type: str
  tenant:
    description: The tenant; else C(AZURE_TENANT).
    type: str
    aliases: [tenant_id]
  cloud_environment:
    description:
      - C(AzureCloud), C(AzureChinaCloud), C(AzureUSGovernment) or the URL of another Resource Manager; else C(AZURE_CLOUD_ENVIRONMENT).
    type: str
  profile:
    description: Section of C(~/.azure/credentials); else C(AZURE_PROFILE).
    type: str
  auth_source:
    description: Where the credentials come from; else C(ANSIBLE_AZURE_AUTH_SOURCE), else V(auto).
    type: str
    choices: [auto, env, credential_file, cli, msi]
  api_versions:
    description:
      - API versions by resource type, for a cloud that does not serve the collection's versions; else the variable
        C(dualstack_api_versions).
      - A type's version also applies to the types below it and to its actions, unless you set theirs.
      - Properties that the older version lacks are still sent; Azure refuses them by name.
    type: dict
"""

"""A local Azure with real Kubernetes. Each line knows the lines below it and nothing above it; ``tests/lab/test_layers.py`` holds that.

- ``__main__``, ``demo``, ``output``: the command line, the demonstration that uses it, and what both print
- ``service``: the server process
- ``kubernetes``: a real cluster behind each managed cluster
- ``packets``: VNets, load balancers, security groups, names and clients as network namespaces
- ``state``: a lab's folder and its settings
- ``arm``: Azure Resource Manager and Entra ID; in it, from the top: ``http``, one folder a service, the machinery that all share
- ``process``, ``isolation``, ``ports``, ``certificates``: what the lab needs of the machine
- ``supplies``: programs, packages and images, and the cache that they are kept in
"""

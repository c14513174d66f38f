"""Real answers of Azure as an oracle, for the engine and for the lab: ``make recordings``.

The Go module azure-service-operator (MIT) has recordings of its tests' traffic with Azure Resource Manager. They are read
where Go keeps modules; nothing of them is in this repository. ``reasons.yml`` holds why what still differs does.
"""

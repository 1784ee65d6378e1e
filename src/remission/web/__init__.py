"""The web app: pages for readers, each also as JSON under the same address; nothing on a page leaves the machine."""

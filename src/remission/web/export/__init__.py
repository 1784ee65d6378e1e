"""The pages as plain files: for a static host in any folder, a stick, or a machine without a network."""

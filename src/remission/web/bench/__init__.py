"""The workbench: drafts, a queue of jobs in processes of their own, and the forms of designs and analyses."""

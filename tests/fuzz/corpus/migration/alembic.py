"""doc
revision = 1
"""
revision: str = "a1"
down_revision = (
  "b", # c
  'd',
)

"""The operator's page in the browser: pure parts, viser parts, and the topics and services of one robot."""

"""The MQTT session with the centre: topics, health, commands."""

"""The view guard: proves on every frame that the camera looks where its masks were validated."""

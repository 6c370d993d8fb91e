"""The users service: who may sign in, over HTTP and on the command line."""

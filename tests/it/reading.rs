//! What is read as a command, through the front door.

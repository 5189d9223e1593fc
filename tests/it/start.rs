//! The real program: when it refuses to start, and how it starts, stops and takes over.

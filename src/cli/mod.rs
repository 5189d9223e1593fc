//! One file per subcommand, and the log.

pub mod logging;

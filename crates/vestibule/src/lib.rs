//! The doors of Vestibule: HTTP and the command line, and the wiring behind them. They translate;
//! what an account may do is decided in the crate `accounts`.

pub mod app;
pub mod around;
mod audit_copy;
pub mod cli;
mod client_addresses;
pub mod config;
mod conversation;
pub mod http;
mod secret_key;
pub mod serve;
mod setup_link;
pub mod site;
mod supervisor;
pub mod telemetry;
mod terminal;
pub mod upstream;

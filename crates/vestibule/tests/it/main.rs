//! The doors from outside: one file for each door, in one binary.

mod connection;

//! The doors from outside: one file for each door, in one binary.

mod access;
mod admin;
mod auth;
mod cli;
mod connection;
mod cookie;
mod cors;
mod csrf;
mod headers;
mod health;
mod hostile;
mod keys;
mod limit;
mod metrics;
mod oauth;
mod password;
mod peer;
mod process;
mod profile;
mod read_only;
mod secrets;
mod sessions;
mod setup;
mod site;
mod support;
mod web;

//! Rules of this repository that no linter knows, as ordinary tests over its files.
//! A rule that clippy or rustc can hold stands in `clippy.toml` or in the workspace's lints instead.

mod evidence;
mod files;
mod layers;
mod logs;
mod papers;
mod sources;

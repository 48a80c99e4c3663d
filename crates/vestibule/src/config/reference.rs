//! The settings as an operator meets them: flags for `--help` and the reference page in `docs/`.
//! Everything here follows from `table.rs`; nothing about a setting is written twice.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command, value_parser};

use super::setting::{Preset, Secrecy, Setting};
use super::table::{FOREIGN_VARIABLES, SETTINGS};

/// The argument that names the file; it is no setting, since it says where settings are.
pub(super) const CONFIG_FLAG: &str = "setting config";

/// The headings whose flags the short help shows.
const ESSENTIAL_GROUPS: [&str; 2] = ["Server", "Site"];

/// The command with a flag for every setting, on itself and on all its subcommands.
///
/// The flags are not clap's global ones: of a repeatable flag given before and after the subcommand
/// clap would keep one place only, and a forgotten `--protect` leaves a page open.
pub(super) fn arguments(command: Command) -> Command {
    let file = Arg::new(CONFIG_FLAG)
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(std::path::PathBuf))
        .help_heading("Server")
        .help("File of settings [default: vestibule.toml, if there is one]");
    command
        .arg(file)
        .args(SETTINGS.iter().filter_map(argument))
        .mut_subcommands(arguments)
}

/// The name that clap knows the flag of a setting by; no field of a command can have it.
pub(super) fn argument_id(setting: &Setting) -> String {
    format!("setting {}", setting.key)
}

/// The reference page of all settings, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    let mut group = "";
    for setting in SETTINGS {
        if setting.group != group {
            group = setting.group;
            write_to(&mut page, format_args!("\n## {group}\n"));
        }
        entry(&mut page, setting);
    }
    page
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the table of settings in crates/vestibule/src/config/table.rs; its test
keeps this page fresh. -->

`vestibule serve` needs no configuration. Every setting has a default, and three forms of one
name: a key in `vestibule.toml`, an environment variable and a flag. Every command takes them
all.

- A flag wins over an environment variable, that over a line of the file `.env` in the working
  directory, that over `vestibule.toml` (or the file that `--config FILE` names), that over the
  default. The highest place that gives a list gives the whole list.
- Lists: the flag is repeated, the variable separates by commas, the file has an array.
- In the file numbers and true or false are written bare, everything else as a string:
  `token.access_ttl = \"15m\"`.
- Secrets have no flag, since the process list would show it. Where a variable may hold a
  secret, a second one with `_FILE` at its end may name a file that holds it.
- `DATABASE_URL` and `PORT`, which hosting platforms set, are read as well, below the
  `VESTIBULE_` form of the same place. So are the variables of OpenTelemetry that are named below.
- In `.env` a value in single quotes is taken as it is; elsewhere `$NAME` is replaced. A line
  that cannot be read and a name that stands there twice are problems.
- An unknown name is a problem, and so is a variable without a value: unset it instead.
  Variables that Kubernetes makes for a service of a matching name, such as
  `VESTIBULE_SERVICE_HOST`, are left alone.
- With any problem the start ends with exit code 2 and lists all of them, each with its key, its
  source and what was expected. `vestibule config show` prints every effective setting with its
  source, secrets hidden.
";

fn argument(setting: &'static Setting) -> Option<Arg> {
    let argument = Arg::new(argument_id(setting))
        .long(setting.flag()?)
        .value_name(setting.kind.placeholder())
        .help_heading(setting.group)
        .hide_short_help(!ESSENTIAL_GROUPS.contains(&setting.group))
        .action(if setting.repeatable {
            ArgAction::Append
        } else {
            ArgAction::Set
        })
        .help(format!("{}{}", setting.help, default_note(setting)));
    let argument = if setting.has_bare_flag() {
        argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    } else {
        argument
    };
    Some(match setting.flag_alias() {
        Some(alias) => argument.visible_alias(alias),
        None => argument,
    })
}

fn default_note(setting: &Setting) -> String {
    match setting.default {
        Preset::Nothing if setting.repeatable => " (may be repeated)".to_owned(),
        Preset::Nothing => String::new(),
        Preset::Value(text) => format!(" [default: {text}]"),
        Preset::Derived(description) => format!(" [default: {}]", description.replace('`', "")),
    }
}

fn entry(page: &mut String, setting: &Setting) {
    let default = match setting.default {
        Preset::Nothing => "none".to_owned(),
        Preset::Value(text) => format!("`{text}`"),
        Preset::Derived(description) => description.to_owned(),
    };
    let kind = if setting.repeatable {
        format!("a list, each {}", setting.kind)
    } else {
        setting.kind.to_string()
    };
    write_to(
        page,
        format_args!("\n### `{}`\n\n{}.\n", setting.key, setting.help),
    );
    if !setting.details.is_empty() {
        write_to(page, format_args!("{}\n", setting.details));
    }
    write_to(
        page,
        format_args!(
            "\n- Value: {kind}\n- Default: {default}\n- Forms: {}\n",
            forms(setting)
        ),
    );
}

/// Flag, its longer spelling, and variables.
fn forms(setting: &Setting) -> String {
    let foreign = FOREIGN_VARIABLES
        .iter()
        .filter(|(_, key)| *key == setting.key)
        .map(|(name, _)| (*name).to_owned());
    let flags = setting
        .flag()
        .into_iter()
        .chain(setting.flag_alias())
        .map(|flag| format!("--{flag}"));
    let variables = setting
        .variable()
        .into_iter()
        .chain(setting.file_variable())
        .chain(foreign);
    let mut forms: Vec<_> = flags
        .chain(variables)
        .map(|form| format!("`{form}`"))
        .collect();
    if forms.is_empty() {
        forms.push("the file alone".to_owned());
    } else if setting.secrecy == Secrecy::Secret {
        forms.push("no flag".to_owned());
    }
    forms.join(", ")
}

fn write_to(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes any text");
}

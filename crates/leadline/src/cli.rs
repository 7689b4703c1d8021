//! The command line. Each option is a flag or a `LEADLINE_*` variable; the file comes after both (see `config`).

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Captures leads, keeps them, and hands them on. Never loses one.
#[derive(Debug, Parser)]
#[command(name = "leadline", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole product in one process
    Serve,
    /// Brings the database's tables up to date
    Migrate,
    /// The configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Tokens for programs
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// People who sign in
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Proves that accepted = stored = delivered; exits 0 only when it all adds up
    Verify {
        /// Prints JSON in place of a table
        #[arg(long)]
        json: bool,
    },
    /// Writes leads or contacts into a file for a spreadsheet, beside a running server
    Export(ExportRequest),
    /// Makes leads of a file: CSV in any encoding, or an Excel workbook
    ///
    /// Works on the database, beside a running server or without one. Leads are found again by e-mail address and phone
    /// number inside the project. What it made can be put back in the dashboard for 30 days.
    Import(NewImport),
    /// Writes everything into one file, beside a running server
    ///
    /// The file holds the database as it is at one moment, what waits in the spool, and a manifest with the rows and the
    /// checksum of each table. Every submission that was acknowledged before it began is in there. It appears under its
    /// name once it is whole and on the disk, and never takes the place of another. It can be restored on SQLite and on
    /// PostgreSQL, whichever it was made of. The secret key is not in there: keep it beside it.
    Backup(BackupRequest),
    /// Puts back what `leadline backup` wrote, into SQLite or PostgreSQL; stop the server first
    ///
    /// The backup is verified before anything is changed. It goes into the database that --database-url names, or into
    /// a file in the data folder; its spool goes into the data folder. Cut off at any moment, run it again.
    Restore(RestoreRequest),
    /// Moves everything to another database: SQLite to PostgreSQL, or back; stop the server first
    ///
    /// Copies the database of this installation into an empty one, reads it again and compares each table. The old one
    /// is only read, and stays as it is. Cut off at any moment, it goes on where it stood when it is run again. The data
    /// folder with key and spool stays where it is: start the server with the new address then.
    Move(MoveRequest),
    /// The key that seals what is secret in the database
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// What is deleted when its time is over, and the clock by which it is
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Prints the API's description
    Openapi,
    /// For whoever develops Leadline
    #[command(hide = true)]
    Dev {
        #[command(subcommand)]
        command: DevCommand,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum DevCommand {
    /// Puts very many leads into the default workspace, for measurements
    LoadLeads {
        /// How many
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
        /// With a year of history: two submissions each, custom fields, tags, owners, stages and values
        #[arg(long)]
        with_history: bool,
    },
    /// Puts very many deliveries to the destinations of the default workspace, for measurements
    LoadDeliveries {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        count: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints the commented file with all defaults
    PrintDefault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum KeyCommand {
    /// Seals everything with a new key; stop the server first
    ///
    /// Secrets and headers of destinations, secrets of sources and the key of the analysis endpoint are sealed with a
    /// new key, and the old one is dropped from the key file. What recognises people stays as it is. All servers on
    /// this database must be stopped; one that is found running is a reason to refuse. Cut off at any moment, it is
    /// finished by running it again.
    ///
    /// Where the key comes from LEADLINE_SECRET_KEY, which only you can change, it takes two runs: the first prints a
    /// value that holds both keys and changes nothing; set it and run this again, which seals everything anew and
    /// prints the value to set then.
    Rotate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Tells by which time things are deleted, and whether a leap of the clock is held back
    Status {
        /// Prints JSON in place of a sentence
        #[arg(long)]
        json: bool,
    },
    /// Says that the clock is right: what became due by its leap is deleted within the hour
    Confirm,
}

/// What is exported, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportRequest {
    /// What to export
    #[arg(value_enum)]
    pub(crate) what: Exported,
    /// The file; it appears once it is whole [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// csv or xlsx [default: as the file's name ends, else csv]
    #[arg(long, value_enum)]
    pub(crate) format: Option<ExportFormat>,
    /// The workspace's slug
    #[arg(long, default_value = "default")]
    pub(crate) workspace: String,
    /// Words to look for
    #[arg(long)]
    pub(crate) search: Option<String>,
    /// Those with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Those in the segment of this id
    #[arg(long, value_name = "ID")]
    pub(crate) segment: Option<String>,
    /// Conditions on leads, as JSON: the `filter` of the API
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Columns of leads, with commas between them [default: all]
    #[arg(long, value_name = "NAMES")]
    pub(crate) columns: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    /// All leads that match
    Leads,
    /// All contacts that match
    Contacts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Comma-separated values
    Csv,
    /// A workbook
    Xlsx,
}

/// Where a backup goes, or which one is looked at.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct BackupRequest {
    #[command(subcommand)]
    pub(crate) command: Option<BackupCommand>,
    /// A folder, in which the file is named after the time; or the file, which must not be there
    #[arg(long, required = true, value_name = "DIR|FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Deletes older backups in the folder, and leaves this many with the new one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) keep: Option<u16>,
    /// Puts the secret key into the file, too: whoever has the file can then open all of it
    #[arg(long)]
    pub(crate) include_key: bool,
    /// Prints the manifest in place of the file's name
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Reads a backup from end to end; exits 0 only when everything that its manifest names is there and whole
    Verify {
        /// The backup
        file: PathBuf,
        /// Prints the manifest
        #[arg(long)]
        json: bool,
    },
}

/// What is restored.
#[derive(Debug, Args)]
pub(crate) struct RestoreRequest {
    /// The backup
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Takes the place of what is there. SQLite's file and the spool are kept beside the new ones under another name;
    /// what is in PostgreSQL's tables is gone
    #[arg(long)]
    pub(crate) replace: bool,
    /// On PostgreSQL, throws away what came of a copy that was cut off, and begins anew
    #[arg(long, conflicts_with = "replace")]
    pub(crate) restart: bool,
}

/// Where to move.
#[derive(Debug, Args)]
pub(crate) struct MoveRequest {
    /// The empty database: postgres://USER:PASSWORD@HOST/NAME, or sqlite://FILE on the way back. In the variable, its
    /// password is in no list of processes
    #[arg(long, value_name = "URL", env = "LEADLINE_MOVE_TO", hide_env_values = true)]
    pub(crate) to: String,
    /// Throws away what came of a move that was cut off, and begins anew
    #[arg(long)]
    pub(crate) restart: bool,
    /// Prints what was moved as JSON: rows and checksum of each table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it, and nothing else, on stdout
    Create(NewToken),
}

#[derive(Debug, Args)]
pub(crate) struct NewToken {
    /// The workspace's slug; it is made where it is not there
    #[arg(long, default_value = "default")]
    pub(crate) workspace: String,
    /// super_admin, admin, marketer, agent or viewer
    #[arg(long)]
    pub(crate) role: String,
    /// What the token is for
    #[arg(long, default_value = "command line")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct NewImport {
    /// The file
    pub(crate) file: PathBuf,
    /// The workspace's slug
    #[arg(long)]
    pub(crate) workspace: String,
    /// The project's name or id; the workspace's first where there is none
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// What columns are for, as JSON or as a file of it: {"Mail": "email", "Size": "custom:Team size", "Id": "ignore"}.
    /// Columns that are left out are what they were for the same columns before, or what their names say
    #[arg(long)]
    pub(crate) mapping: Option<String>,
    /// What is done where a row's lead is there: update, fill (only what is empty) or skip
    #[arg(long, default_value = "update")]
    pub(crate) on_match: String,
    /// A tag of new leads; may be given more than once
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// Lets destinations hear of the leads
    #[arg(long)]
    pub(crate) tell_destinations: bool,
    /// The file's encoding, where it is not to be found out
    #[arg(long)]
    pub(crate) encoding: Option<String>,
    /// What stands between the cells, where it is not to be found out
    #[arg(long)]
    pub(crate) delimiter: Option<char>,
    /// The sheet of a workbook; the first where there is none
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// Whether the first row names the columns, where it is not to be found out
    #[arg(long, value_name = "TRUE|FALSE")]
    pub(crate) header: Option<bool>,
    /// Writes rows that make no lead to this file, with the reason
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
    /// Tells what would come of it, and changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints JSON in place of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Makes a user; the password comes from stdin, or one is made and printed once
    Create(NewUser),
}

#[derive(Debug, Args)]
pub(crate) struct NewUser {
    /// The address to sign in with
    #[arg(long)]
    pub(crate) email: String,
    /// super_admin, admin, marketer, agent or viewer
    #[arg(long)]
    pub(crate) role: String,
    /// The workspace's slug; it is made where it is not there
    #[arg(long, default_value = "default")]
    pub(crate) workspace: String,
    /// The person's name; the address where there is none
    #[arg(long)]
    pub(crate) name: Option<String>,
}

/// Options of every command. A flag counts over a variable, a variable over the file.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// The configuration file [default: leadline.toml where there is one]
    #[arg(long, global = true, env = "LEADLINE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "LEADLINE_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// SQLite file, spool and key file [default: ./data]
    #[arg(long, global = true, env = "LEADLINE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// sqlite://FILE, or postgres://… for several nodes [default: a file in the data folder]
    #[arg(long, global = true, env = "LEADLINE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// How browsers and other programs reach us [default: http://ADDR]
    #[arg(long, global = true, env = "LEADLINE_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// production or development [default: production]
    #[arg(long, global = true, env = "LEADLINE_ENVIRONMENT", value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// On an empty database, makes a workspace, a user and data to look at
    #[arg(long, global = true, env = "LEADLINE_DEMO")]
    pub(crate) demo: bool,
    /// How the log looks [default: human on a terminal, json otherwise]
    #[arg(long, global = true, env = "LEADLINE_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
    /// full or normal: what SQLite's commits survive. Anything but full loses leads in a power cut
    #[arg(long, global = true, env = "LEADLINE_SQLITE_SYNCHRONOUS", hide = true)]
    pub(crate) sqlite_synchronous: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people at a terminal
    Human,
    /// One object a line, for programs
    Json,
}

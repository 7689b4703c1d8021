//! The configuration: flags over `LEADLINE_*` variables over `leadline.toml`. A wrong one is an error that names the
//! file or the variable, the key and what is wrong.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use leadline_outbound::{Mailer, MailerRefused, Trust};
use leadline_store::Durability;
use serde::Deserialize;

use crate::cli::{LogFormat, Options};

/// What `leadline config print-default` prints.
pub(crate) const DEFAULT_FILE: &str = include_str!("default.toml");

/// Where the file is looked for.
const FILE: &str = "leadline.toml";

/// What the process runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: String,
    pub(crate) public_url: String,
    pub(crate) environment: String,
    pub(crate) demo: bool,
    pub(crate) secret_key: Option<String>,
    pub(crate) outbound_allow: Vec<IpNet>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) facebook_graph_url: String,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) geo_db: Option<PathBuf>,
    pub(crate) asn_db: Option<PathBuf>,
    pub(crate) bot_detection: bool,
    pub(crate) reengage_hours: i64,
    pub(crate) import_max_bytes: u64,
    pub(crate) log: Option<LogFormat>,
    pub(crate) durability: Durability,
}

/// The configuration is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{where_}: {what}")]
pub(crate) struct Misconfigured {
    where_: String,
    what: String,
}

impl Misconfigured {
    pub(crate) fn new(where_: impl Into<String>, what: impl Into<String>) -> Self {
        Self { where_: where_.into(), what: what.into() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    public_url: Option<String>,
    environment: Option<String>,
    demo: Option<bool>,
    outbound_allow: Option<Vec<String>>,
    trusted_proxies: Option<Vec<String>>,
    facebook_graph_url: Option<String>,
    mail_from: Option<String>,
    geo_db: Option<PathBuf>,
    asn_db: Option<PathBuf>,
    bot_lead_detection: Option<bool>,
    lead_reengage_hours: Option<i64>,
    import_max_mb: Option<u64>,
    log: Option<LogFormat>,
}

/// Reads everything that says how to run.
pub(crate) fn load(options: &Options) -> Result<Config, Misconfigured> {
    merge(options, read_file(options.config.as_deref())?, |name| std::env::var(name).ok())
}

fn read_file(path: Option<&Path>) -> Result<File, Misconfigured> {
    let (path, is_wanted) = path.map_or((Path::new(FILE), false), |path| (path, true));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_wanted => return Ok(File::default()),
        Err(error) => return Err(Misconfigured::new(path.display().to_string(), error.to_string())),
    };
    toml::from_str(&text).map_err(|error| Misconfigured::new(path.display().to_string(), error.to_string()))
}

fn merge(options: &Options, file: File, variable: impl Fn(&str) -> Option<String>) -> Result<Config, Misconfigured> {
    let variable = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let default_listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    let listen = options.listen.or(file.listen).unwrap_or(default_listen);
    let data_dir = options.data_dir.clone().or(file.data_dir).unwrap_or_else(|| "data".into());
    let database_url = options.database_url.clone().or(file.database_url);
    let public_url = options.public_url.clone().or(file.public_url).unwrap_or_else(|| format!("http://{listen}"));
    let environment = options.environment.clone().or_else(|| variable("ENVIRONMENT")).or(file.environment);
    Ok(Config {
        listen,
        database_url: database_url.unwrap_or_else(|| leadline_store::sqlite_url(&data_dir)),
        data_dir,
        public_url: checked_public_url(&public_url)?,
        environment: checked_environment(environment.as_deref().unwrap_or("production"))?,
        demo: options.demo || file.demo.unwrap_or(false),
        secret_key: variable("LEADLINE_SECRET_KEY"),
        outbound_allow: ranges("LEADLINE_OUTBOUND_ALLOW", variable, file.outbound_allow)?,
        trusted_proxies: ranges("LEADLINE_TRUSTED_PROXIES", variable, file.trusted_proxies)?,
        facebook_graph_url: variable("LEADLINE_FACEBOOK_GRAPH_URL")
            .or(file.facebook_graph_url)
            .unwrap_or_else(|| "https://graph.facebook.com/v24.0".into()),
        mailer: mailer(variable, file.mail_from)?,
        geo_db: variable("LEADLINE_GEO_DB").map(PathBuf::from).or(file.geo_db),
        asn_db: variable("LEADLINE_ASN_DB").map(PathBuf::from).or(file.asn_db),
        bot_detection: parsed("BOT_LEAD_DETECTION", "true or false", variable)?
            .or(file.bot_lead_detection)
            .unwrap_or(true),
        reengage_hours: checked_hours(
            parsed("LEAD_REENGAGE_HOURS", "a number of hours", variable)?.or(file.lead_reengage_hours).unwrap_or(24),
        )?,
        import_max_bytes: checked_import_mb(
            parsed("LEADLINE_IMPORT_MAX_MB", "a number of megabytes", variable)?.or(file.import_max_mb).unwrap_or(500),
        )?,
        log: options.log.or(file.log),
        durability: durability(options.sqlite_synchronous.as_deref())?,
    })
}

/// Sends e-mail, where a server is named. It holds a password, so it is no matter for the file.
fn mailer(variable: impl Fn(&str) -> Option<String>, in_file: Option<String>) -> Result<Option<Mailer>, Misconfigured> {
    let Some(server) = variable("LEADLINE_SMTP_URL") else { return Ok(None) };
    let from = variable("LEADLINE_MAIL_FROM").or(in_file).ok_or_else(|| {
        Misconfigured::new("LEADLINE_MAIL_FROM", "is needed beside LEADLINE_SMTP_URL: whom e-mail comes from")
    })?;
    Mailer::new(&server, &from, Trust::System).map(Some).map_err(|error| {
        let name = if matches!(error, MailerRefused::From) { "LEADLINE_MAIL_FROM" } else { "LEADLINE_SMTP_URL" };
        Misconfigured::new(name, error.to_string())
    })
}

fn checked_public_url(url: &str) -> Result<String, Misconfigured> {
    let url = url.trim_end_matches('/');
    let has_host =
        url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).is_some_and(|rest| !rest.is_empty());
    if has_host {
        return Ok(url.to_owned());
    }
    Err(Misconfigured::new("public-url", format!("{url:?} does not begin with http:// or https://")))
}

fn checked_environment(name: &str) -> Result<String, Misconfigured> {
    match name {
        "production" | "development" => Ok(name.to_owned()),
        _ => Err(Misconfigured::new("environment", format!("{name:?} is neither production nor development"))),
    }
}

fn checked_hours(hours: i64) -> Result<i64, Misconfigured> {
    if (0..=24 * 365).contains(&hours) {
        return Ok(hours);
    }
    Err(Misconfigured::new("LEAD_REENGAGE_HOURS", format!("{hours} is not between 0 (never) and 8760")))
}

fn checked_import_mb(megabytes: u64) -> Result<u64, Misconfigured> {
    if (1..=100_000).contains(&megabytes) {
        return Ok(megabytes * 1_000_000);
    }
    Err(Misconfigured::new("LEADLINE_IMPORT_MAX_MB", format!("{megabytes} is not between 1 and 100000")))
}

fn durability(wanted: Option<&str>) -> Result<Durability, Misconfigured> {
    match wanted {
        None | Some("full") => Ok(Durability::Full),
        Some("normal") => Ok(Durability::Normal),
        Some(other) => Err(Misconfigured::new("sqlite-synchronous", format!("{other:?} is neither full nor normal"))),
    }
}

fn parsed<T: std::str::FromStr>(
    name: &str,
    expected: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<T>, Misconfigured> {
    let Some(value) = variable(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| Misconfigured::new(name, format!("{value:?} is not {expected}")))
}

fn ranges(
    name: &str,
    variable: impl Fn(&str) -> Option<String>,
    file: Option<Vec<String>>,
) -> Result<Vec<IpNet>, Misconfigured> {
    let listed = variable(name).map(|value| value.split(',').map(str::to_owned).collect()).or(file).unwrap_or_default();
    let texts = listed.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    texts
        .map(|text| {
            range(text).ok_or_else(|| Misconfigured::new(name, format!("{text:?} is not a range such as 10.0.0.0/8")))
        })
        .collect()
}

/// A range, or one address.
fn range(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        toml::from_str(text).expect("a readable file")
    }

    #[test]
    fn the_printed_file_is_readable_and_says_the_defaults() {
        let nothing_set = merge(&Options::default(), File::default(), |_| None).expect("defaults");
        let uncommented: String =
            DEFAULT_FILE.lines().filter_map(|line| line.strip_prefix("#= ")).map(|line| format!("{line}\n")).collect();

        let printed = merge(&Options::default(), file(&uncommented), |_| None).expect("the file's own values");

        assert_eq!(format!("{nothing_set:?}"), format!("{printed:?}"));
    }

    #[test]
    fn a_flag_counts_over_a_variable_and_a_variable_over_the_file() {
        let options = Options { environment: Some("development".into()), ..Options::default() };
        let text = "environment = \"production\"\nlead_reengage_hours = 1\nlisten = \"127.0.0.1:1\"\n";
        let variable = |name: &str| (name == "LEAD_REENGAGE_HOURS").then(|| "2".to_owned());

        let config = merge(&options, file(text), variable).expect("a configuration");

        assert_eq!((config.environment.as_str(), config.reengage_hours, config.listen.port()), ("development", 2, 1));
        assert_eq!(config.public_url, "http://127.0.0.1:1");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |name: &'static str, value: &'static str| {
            let variable = move |asked: &str| (asked == name).then(|| value.to_owned());
            merge(&Options::default(), File::default(), variable).expect_err("a wrong value").to_string()
        };

        assert_eq!(wrong("BOT_LEAD_DETECTION", "maybe"), "BOT_LEAD_DETECTION: \"maybe\" is not true or false");
        assert_eq!(
            wrong("LEADLINE_TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
            "LEADLINE_TRUSTED_PROXIES: \"nonsense\" is not a range such as 10.0.0.0/8"
        );
        assert!(toml::from_str::<File>("listne = \"x\"").expect_err("an unknown key").to_string().contains("listne"));
    }
}

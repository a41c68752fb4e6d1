//! Turns the typed flags into settings: the second stage of the arguments, decided once, here.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_engine::{
    Comparison, Cutoff, DeleteWhen, Deletion, Limits, MetadataOptions, NameMatching, NameTransform, Renames,
    Respelling, Rules,
};
use fichier_filter::Filter;
use fichier_remotes::fichier::CatalogueMode;
use fichier_remotes::local::{Buffers, Downloads};
use fichier_remotes::network::Dump as NetworkDump;

use crate::{
    directories::Directories,
    exit::Failure,
    features,
    flags::{
        BackendFlag, Colour, CutoffMode, Environment, FilterFlags, GlobalFlags, LogLevel, NetworkFlags,
        StatsFlags, Timetable, TransferFlags, Typed, USUAL_UNKNOWN_TIME,
    },
    log_file::Rotation,
    log_format::LogFormat,
    name_transform::Steps,
    output::{screen::Questions, stats::Style, time::Clock},
    syslog::Facility,
    typed_secrets::TypedSecrets,
};

/// Settings of a run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct Settings {
    pub(crate) config: Option<PathBuf>,
    /// Command that prints the configuration's password.
    pub(crate) password_command: Option<String>,
    /// Whether a person may be asked for the password.
    pub(crate) ask_password: bool,
    pub(crate) log_level: LogLevel,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) log_rotation: Rotation,
    pub(crate) systemd_log: bool,
    /// Part of the system under which messages appear in its log; `None`: they don't go there.
    pub(crate) syslog: Option<Facility>,
    pub(crate) json_log: bool,
    pub(crate) log_format: LogFormat,
    pub(crate) directories: Directories,
    pub(crate) dry_run: bool,
    /// Typed secrets, which must not appear in messages.
    pub(crate) secrets: TypedSecrets,
    pub(crate) max_depth: Option<usize>,
    /// Depth in folders of a run between two sides. The first level is 0 there, as with rclone.
    pub(crate) run_depth: Option<usize>,
    /// Files and folders that the command is about.
    pub(crate) filter: Arc<Filter>,
    /// Whether a sync removes at the destination what the filter leaves out.
    pub(crate) delete_excluded: bool,
    pub(crate) human_readable: bool,
    pub(crate) colour: Colour,
    /// Whether the environment asks for no colours.
    pub(crate) no_colour: bool,
    /// Whether the terminal knows no escapes: `TERM=dumb`.
    pub(crate) plain_terminal: bool,
    /// Questions at the terminal, for which the display makes room.
    pub(crate) questions: Questions,
    pub(crate) clock: Clock,
    pub(crate) backend: Vec<BackendFlag>,
    /// Settings for the commands that transfer.
    pub(crate) transfer: TransferSettings,
    /// Settings for remotes on the network.
    pub(crate) network: NetworkSettings,
}

/// Settings for how files are transferred.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct TransferSettings {
    pub(crate) transfers: NonZeroUsize,
    pub(crate) checkers: NonZeroUsize,
    pub(crate) progress: bool,
    pub(crate) progress_title: bool,
    /// Time between statistics; `None`: no statistics in between.
    pub(crate) stats: Option<Duration>,
    pub(crate) stats_style: Style,
    pub(crate) stats_level: LogLevel,
    pub(crate) retries: u32,
    pub(crate) retries_sleep: Duration,
    pub(crate) rules: Rules,
    pub(crate) names: NameMatching,
    pub(crate) hash_cache: bool,
    pub(crate) server_side_reuse: bool,
    pub(crate) track_renames: bool,
    pub(crate) renames: Renames,
    pub(crate) compare_dest: Vec<String>,
    pub(crate) copy_dest: Vec<String>,
    pub(crate) backup_dir: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) suffix_keep_extension: bool,
    pub(crate) deletion: Deletion,
    pub(crate) check_first: bool,
    pub(crate) order_by: String,
    pub(crate) limits: Limits,
    pub(crate) bandwidth: Timetable,
    /// Bandwidth of each file by itself.
    pub(crate) file_bandwidth: Timetable,
    pub(crate) interactive: bool,
    pub(crate) report: Option<PathBuf>,
    pub(crate) error_on_no_transfer: bool,
    /// Metadata that is kept beside content, name and time; `None`: nothing.
    pub(crate) metadata: Option<MetadataOptions>,
    pub(crate) keep_folder_times: bool,
    /// Program that the flag names for changing metadata.
    pub(crate) metadata_mapper: Option<String>,
    /// Rules for changing names on the way, as typed.
    pub(crate) name_transform: Vec<String>,
    pub(crate) create_empty_src_dirs: bool,
}

/// Settings for how the network is used.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct NetworkSettings {
    pub(crate) ca_certificates: Vec<PathBuf>,
    pub(crate) accept_invalid_certificates: bool,
    pub(crate) client_certificate: Option<[PathBuf; 2]>,
    pub(crate) proxy: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) upload_headers: Vec<String>,
    pub(crate) download_headers: Vec<String>,
    pub(crate) connect_timeout: Duration,
    /// Total time that a run waits because the service refuses; zero: no limit.
    pub(crate) max_wait: Duration,
    pub(crate) timeout: Duration,
    pub(crate) user_agent: Option<String>,
    pub(crate) bind: Option<String>,
    pub(crate) no_keep_alive: bool,
    pub(crate) dump: NetworkDump,
    pub(crate) low_level_retries: u32,
    /// Largest number of calls in a second.
    pub(crate) calls_per_second: Option<f64>,
    pub(crate) fast_list: bool,
    pub(crate) catalogue: Option<CatalogueMode>,
    pub(crate) copy_links: bool,
    pub(crate) links: bool,
    /// How downloaded bytes are written to the disk.
    pub(crate) downloads: Downloads,
}

/// Error about flags that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    #[error("Can't set -v and -q")]
    VerboseAndQuiet,
    #[error("Can't set -v and --log-level")]
    VerboseAndLevel,
    #[error("Can't set -q and --log-level")]
    QuietAndLevel,
    #[error("Can't use --syslog and --log-file together")]
    SyslogAndFile,
    #[error("only one of --delete-before, --delete-during or --delete-after can be used")]
    SeveralTimesToDelete,
    #[error("--client-cert and --client-key need each other: give both or none")]
    HalfOfCertificate,
    #[error("--tpslimit must be a number of calls a second, or 0")]
    NoRate,
}

impl Settings {
    /// Turns typed arguments into settings.
    pub(crate) fn new<C>(typed: &Typed<C>, environment: &Environment) -> Result<Self, Contradiction> {
        let Typed { global: typed, transfer, network, stats, filter, backend, .. } = typed;
        let plain_terminal = environment.get_os("TERM").is_some_and(|terminal| terminal == "dumb");
        if network.client_cert.is_some() != network.client_key.is_some() {
            return Err(Contradiction::HalfOfCertificate);
        }
        Ok(Self {
            config: typed.config.clone(),
            password_command: typed.password_command.clone().filter(|command| !command.trim().is_empty()),
            ask_password: typed.ask_password,
            log_level: log_level(typed)?,
            log_file: typed.log_file.clone(),
            log_rotation: Rotation {
                most_bytes: typed.log_file_max_size.0,
                most_files: typed.log_file_max_backups,
                longest: typed.log_file_max_age,
                compress: typed.log_file_compress,
            },
            systemd_log: typed.log_systemd,
            syslog: syslog(typed)?,
            json_log: typed.use_json_log || typed.log_format.json,
            log_format: typed.log_format,
            directories: Directories::new(environment, typed.cache_dir.clone(), typed.temp_dir.clone()),
            dry_run: typed.dry_run,
            max_depth: usize::try_from(typed.max_depth).ok().filter(|depth| *depth > 0),
            secrets: TypedSecrets::default(),
            run_depth: usize::try_from(typed.max_depth).ok().map(|depth| depth.max(1)),
            // Filters may read files and log: they are made once the log is there.
            filter: Arc::default(),
            delete_excluded: false,
            human_readable: typed.human_readable,
            colour: typed.color,
            no_colour: environment.get_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                || plain_terminal,
            plain_terminal,
            questions: Questions::default(),
            clock: clock(typed),
            backend: backend.clone(),
            transfer: TransferSettings::new(typed, transfer, stats, network)?,
            network: NetworkSettings::new(typed, transfer, network, filter),
        })
    }

    /// Checks whether the output on stdout has colours.
    pub(crate) fn colours_stdout(&self) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !self.no_colour && std::io::stdout().is_terminal(),
        }
    }

    /// Returns the depth of a listing that descends only when asked to; `None`: no limit.
    pub(crate) fn depth(&self, recursive: bool) -> Option<usize> {
        self.max_depth.or((!recursive).then_some(1))
    }
}

impl NetworkSettings {
    fn new(
        typed: &GlobalFlags,
        transfer: &TransferFlags,
        flags: &NetworkFlags,
        filter: &FilterFlags,
    ) -> Self {
        Self {
            ca_certificates: flags.ca_cert.clone(),
            accept_invalid_certificates: flags.no_check_certificate,
            client_certificate: flags.client_cert.clone().zip(flags.client_key.clone()).map(Into::into),
            proxy: flags.http_proxy.clone().filter(|proxy| !proxy.is_empty()),
            headers: flags.header.clone(),
            upload_headers: flags.header_upload.clone(),
            download_headers: flags.header_download.clone(),
            connect_timeout: flags.contimeout,
            timeout: flags.timeout,
            max_wait: flags.max_wait,
            user_agent: flags.user_agent.clone(),
            bind: flags.bind.clone(),
            no_keep_alive: flags.disable_http_keep_alives,
            dump: filter.network_dump(),
            low_level_retries: u32::try_from(typed.low_level_retries).unwrap_or(0).max(1),
            calls_per_second: (transfer.tpslimit > 0.0).then_some(transfer.tpslimit),
            fast_list: typed.fast_list && !features::is_disabled(&typed.disable, "ListR"),
            catalogue: typed.catalogue,
            copy_links: typed.copy_links,
            links: typed.links,
            downloads: downloads(typed, transfer, flags),
        }
    }
}

impl TransferSettings {
    fn new(
        typed: &GlobalFlags,
        flags: &TransferFlags,
        stats: &StatsFlags,
        network: &NetworkFlags,
    ) -> Result<Self, Contradiction> {
        let comparison = match (flags.size_only, flags.checksum) {
            (true, _) => Comparison::SizeOnly,
            (false, true) => Comparison::Checksum,
            (false, false) => Comparison::Exact,
        };
        let when = match (flags.delete_before, flags.delete_during, flags.delete_after) {
            (true, false, false) => DeleteWhen::Before,
            (false, true, false) => DeleteWhen::During,
            (false, false, _) => DeleteWhen::After,
            _ => return Err(Contradiction::SeveralTimesToDelete),
        };
        if flags.tpslimit.is_nan() || flags.tpslimit < 0.0 {
            return Err(Contradiction::NoRate);
        }
        Ok(Self {
            transfers: transfers(typed, network),
            checkers: at_once(typed.checkers),
            progress: typed.progress,
            progress_title: typed.progress_terminal_title,
            stats: (!stats.stats.is_zero()).then_some(stats.stats),
            stats_style: Style::of(stats),
            stats_level: stats.stats_log_level,
            retries: u32::try_from(typed.retries).unwrap_or(0).max(1),
            retries_sleep: flags.retries_sleep,
            rules: Rules {
                comparison,
                ignore_size: flags.ignore_size,
                ignore_times: flags.ignore_times,
                update: flags.update,
                ignore_existing: flags.ignore_existing,
                existing_only: flags.existing,
                immutable: flags.immutable,
                unseen_destination: flags.no_check_dest,
                keep_times: flags.no_update_modtime,
                window: flags.modify_window,
            },
            names: NameMatching {
                exact_forms: flags.no_unicode_normalization,
                ignore_case: flags.ignore_case_sync,
                respelling: match (flags.fix_case, typed.dry_run) {
                    (false, _) => Respelling::Keep,
                    (true, true) => Respelling::Tell,
                    (true, false) => Respelling::Rename,
                },
            },
            hash_cache: !flags.no_hash_cache,
            server_side_reuse: !flags.no_server_side_reuse,
            track_renames: flags.track_renames,
            renames: flags.track_renames_strategy,
            compare_dest: flags.compare_dest.clone(),
            copy_dest: flags.copy_dest.clone(),
            backup_dir: flags.backup_dir.clone(),
            suffix: flags.suffix.clone().filter(|suffix| !suffix.is_empty()),
            suffix_keep_extension: flags.suffix_keep_extension,
            deletion: Deletion {
                when,
                ignore_errors: flags.ignore_errors,
                max_files: u64::try_from(flags.max_delete).ok(),
                max_bytes: flags.max_delete_size.0,
            },
            check_first: flags.check_first,
            order_by: flags.order_by.clone(),
            limits: Limits {
                bytes: flags.max_transfer.0,
                time: flags.max_duration.0,
                cutoff: match flags.cutoff_mode {
                    CutoffMode::Hard => Cutoff::Hard,
                    CutoffMode::Soft => Cutoff::Soft,
                    CutoffMode::Cautious => Cutoff::Cautious,
                },
            },
            bandwidth: flags.bwlimit.clone(),
            file_bandwidth: flags.bwlimit_file.clone(),
            interactive: flags.interactive,
            report: flags.report.clone(),
            error_on_no_transfer: typed.error_on_no_transfer,
            metadata: flags.metadata.then(|| metadata(flags)),
            keep_folder_times: flags.no_update_dir_modtime,
            metadata_mapper: flags.metadata_mapper.clone().filter(|program| !program.is_empty()),
            name_transform: flags.name_transform.clone(),
            create_empty_src_dirs: flags.create_empty_src_dirs,
        })
    }
}

impl TransferSettings {
    /// Returns the new names for files and folders on the way; `None`: they keep their names.
    ///
    /// # Errors
    /// The rules can't be understood.
    pub(crate) fn transform(&self) -> Result<Option<Arc<dyn NameTransform>>, Failure> {
        let steps = Steps::read(&self.name_transform, &jiff::ZonedDateTime::now());
        let steps = steps.map_err(|error| Failure::usage(format!("--name-transform: {error}")))?;
        Ok(steps.map(|steps| Arc::new(steps) as Arc<dyn NameTransform>))
    }
}

/// Returns what `--metadata` and its flags ask for. Of several values of a key the last one counts.
fn metadata(flags: &TransferFlags) -> MetadataOptions {
    let set: BTreeMap<_, _> = flags.metadata_set.iter().cloned().collect();
    MetadataOptions { set: set.into_iter().collect() }
}

/// Smallest range in bytes: smaller ones would cost more in requests than they gain.
const SMALLEST_PIECE: u64 = 64 * 1024;

/// Largest range in bytes: larger than any file that the service takes, so that a file is one range.
const LARGEST_PIECE: u64 = 1 << 40;

/// Returns how many files are transferred at once: no more than there may be connections.
fn transfers(typed: &GlobalFlags, network: &NetworkFlags) -> NonZeroUsize {
    let wanted = at_once(typed.transfers);
    most_connections(network).map_or(wanted, |most| wanted.min(most))
}

/// Returns how many connections may carry files; `None`: no limit.
fn most_connections(network: &NetworkFlags) -> Option<NonZeroUsize> {
    usize::try_from(network.max_connections).ok().and_then(NonZeroUsize::new)
}

fn downloads(typed: &GlobalFlags, flags: &TransferFlags, network: &NetworkFlags) -> Downloads {
    let transfers = transfers(typed, network);
    let wanted = at_once(flags.multi_thread_streams);
    let share = |most: NonZeroUsize| NonZeroUsize::new(most.get() / transfers).unwrap_or(NonZeroUsize::MIN);
    Downloads {
        streams: most_connections(network).map_or(wanted, |most| wanted.min(share(most))),
        cutoff: flags.multi_thread_cutoff.0.unwrap_or(u64::MAX),
        piece: flags.multi_thread_chunk_size.0.unwrap_or(LARGEST_PIECE).clamp(SMALLEST_PIECE, LARGEST_PIECE),
        in_place: flags.inplace,
        partial_suffix: flags.partial_suffix.clone(),
        reserve: true,
        ahead: transfers.get(),
        buffers: Buffers::of(flags.max_buffer_memory.0),
    }
}

/// Upper limit for things done at once: more is never faster, and a run reserves room for each.
const MOST_AT_ONCE: i64 = 10_000;

/// Limits a number of things done at once: at least one, whatever was typed, and not so many that there is no room for
/// them.
fn at_once(count: i64) -> NonZeroUsize {
    let count = usize::try_from(count.clamp(1, MOST_AT_ONCE)).unwrap_or(1);
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

fn syslog(typed: &GlobalFlags) -> Result<Option<Facility>, Contradiction> {
    if typed.syslog && typed.log_file.is_some() {
        return Err(Contradiction::SyslogAndFile);
    }
    Ok(typed.syslog.then_some(typed.syslog_facility))
}

fn clock(typed: &GlobalFlags) -> Clock {
    let clock = Clock::of_system();
    // The default is known without the time zone, which takes time to find.
    if typed.default_time.to_string() == USUAL_UNKNOWN_TIME {
        return clock;
    }
    match typed.default_time.moment(SystemTime::now(), clock.zone()) {
        Some(time) => clock.with_unknown(time),
        None => clock,
    }
}

fn log_level(typed: &GlobalFlags) -> Result<LogLevel, Contradiction> {
    let verbose = typed.verbose.iter().fold(0, |total, step| step.apply(total));
    match (verbose, typed.quiet, typed.log_level) {
        (1.., true, _) => Err(Contradiction::VerboseAndQuiet),
        (1.., _, Some(_)) => Err(Contradiction::VerboseAndLevel),
        (_, true, Some(_)) => Err(Contradiction::QuietAndLevel),
        (_, _, Some(level)) => Ok(level),
        (_, true, None) => Ok(LogLevel::Error),
        (2.., ..) => Ok(LogLevel::Debug),
        (1, ..) => Ok(LogLevel::Info),
        (_, false, None) => Ok(LogLevel::Notice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &[&str]) -> Result<Settings, Contradiction> {
        let words: Vec<_> = std::iter::once("fichier")
            .chain(words.iter().copied())
            .chain(["version"])
            .map(Into::into)
            .collect();
        let Ok(typed) = crate::flags::parse::<crate::commands::Command>(&words, &Environment::default())
        else {
            panic!("{words:?} should be understood")
        };
        Settings::new(&typed, &Environment::default())
    }

    #[test]
    fn loudness() {
        let level = |words: &[&str]| settings(words).map(|settings| settings.log_level);
        assert_eq!(level(&[]), Ok(LogLevel::Notice));
        assert_eq!(level(&["-v"]), Ok(LogLevel::Info));
        assert_eq!(level(&["-vv"]), Ok(LogLevel::Debug));
        assert_eq!(level(&["-nvPv"]), Ok(LogLevel::Debug));
        assert_eq!(level(&["--verbose=2"]), Ok(LogLevel::Debug));
        assert_eq!(level(&["-q"]), Ok(LogLevel::Error));
        assert_eq!(level(&["--log-level", "info"]), Ok(LogLevel::Info));
        assert_eq!(level(&["-v", "-q"]), Err(Contradiction::VerboseAndQuiet));
        assert_eq!(level(&["-v", "--log-level", "INFO"]), Err(Contradiction::VerboseAndLevel));
    }

    #[test]
    fn depth_is_one_folder_unless_asked() {
        let depth = |words: &[&str], recursive| settings(words).map(|settings| settings.depth(recursive));
        assert_eq!(depth(&[], false), Ok(Some(1)));
        assert_eq!(depth(&[], true), Ok(None));
        assert_eq!(depth(&["--max-depth", "2"], false), Ok(Some(2)));
        assert_eq!(depth(&["--max-depth=-1"], true), Ok(None));
    }

    #[test]
    fn downloads_are_as_the_flags_say() {
        let downloads = |words: &[&str]| settings(words).map(|settings| settings.network.downloads).unwrap();
        let usual = downloads(&[]);
        assert_eq!((usual.streams.get(), usual.cutoff, usual.ahead), (4, 256 << 20, 4));
        assert_eq!((usual.in_place, usual.partial_suffix.as_str()), (false, ".partial"));
        let words = ["--multi-thread-streams=0", "--multi-thread-cutoff=1Mi", "--inplace", "--transfers=7"];
        let chosen = downloads(&words);
        assert_eq!(
            (chosen.streams.get(), chosen.cutoff, chosen.in_place, chosen.ahead),
            (1, 1 << 20, true, 7)
        );
        assert_eq!(downloads(&["--multi-thread-cutoff", "off"]).cutoff, u64::MAX);
        assert_eq!(downloads(&["--partial-suffix", "~"]).partial_suffix, "~");
    }

    #[test]
    fn connections_for_files_are_shared_out() {
        let shares = |words: &[&str]| {
            let settings = settings(words).unwrap();
            (settings.transfer.transfers.get(), settings.network.downloads.streams.get())
        };
        assert_eq!(shares(&["--max-connections", "0"]), (4, 4));
        assert_eq!(shares(&["--max-connections", "9"]), (4, 2));
        assert_eq!(shares(&["--max-connections", "3"]), (3, 1));
        assert_eq!(shares(&["--max-connections", "100"]), (4, 4));
    }

    #[test]
    fn go_style_booleans() {
        let dry = |words: &[&str]| settings(words).map(|settings| settings.dry_run);
        assert_eq!(dry(&["--dry-run"]), Ok(true));
        assert_eq!(dry(&["-n"]), Ok(true));
        assert_eq!(dry(&["--dry-run=false"]), Ok(false));
        assert_eq!(dry(&["--dry-run=T"]), Ok(true));
        assert_eq!(dry(&["--dry-run", "--dry-run=0"]), Ok(false));
    }
}

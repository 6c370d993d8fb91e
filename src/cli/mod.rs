//! The command line: parses, calls, prints. The only place that prints, and the only place that turns errors into exit
//! codes and hints.

mod action;
mod agents;
mod apply;
mod collect;
mod colour;
mod defect;
mod demo;
mod doctor;
mod event_lines;
mod exit;
mod gate;
mod generate;
mod import;
mod init;
mod jobs;
mod live;
mod log_line;
mod plan;
mod prepare;
mod pull_request;
mod retry;
mod run;
mod run_folder;
mod runs;
mod schema;
mod settle;
mod shell;
mod show;
mod summarize;
mod verify;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::exit::Failure;

/// The version, with the commit that it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("IMPLEMENTER_BUILD"));

/// Coordinates the subagents of an implementation plan and never implements anything itself.
#[derive(Debug, Parser)]
#[command(name = "backend-implementer", version = VERSION, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 complete; 1 ran, but the implementation is not complete; 2 bad input (plan, \
                        configuration, arguments); 3 the outside failed (git, disk, agent program missing); 130 cancelled.")]
struct Cli {
    /// Say more about what goes on; twice for everything. RUST_LOG does the same in detail.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the built-in example: a small service, a plan, and eight scripted subagents
    Demo(demo::Arguments),
    /// Lint the plan against the roster and show the schedule, the lock and who may touch what
    Plan(plan::Arguments),
    /// Coordinate everything: run the subagents, integrate their patches, judge the gates, write the summary
    Run(run::Arguments),
    /// Prove a run offline: recompute integration, scope and landing from its bundle
    Verify(verify::Arguments),
    /// Put the result of a run on a branch
    Apply(apply::Arguments),
    /// List the runs of a repository
    Runs(runs::RunsArguments),
    /// Show what came out of a run, and what to fix
    Show(runs::ShowArguments),
    /// Print the log of a task or a gate
    Logs(runs::LogsArguments),
    /// Write the workflow of the configured layout, or check that it is up to date
    Generate(generate::Arguments),
    /// Look at the repository and write its configuration, workflow and first plan, with the reasons
    Init(init::Arguments),
    /// Say what a run here would miss: programs, keys, git, gates
    Doctor(doctor::Arguments),
    /// Write a plan of any dialect in ours, with every assignment explicit
    Import(import::Arguments),
    /// List the roster and lint the agent files
    Agents(agents::Arguments),
    /// Print a JSON schema
    Schema(schema::Arguments),
    /// Print completions for a shell
    Completions(shell::CompletionsArguments),
    /// Print the man page
    Man(shell::ManArguments),
    /// Work as a step of GitHub Actions: what the container runs
    Action(action::Arguments),
    /// In a fan-out: check out work trees and write briefs for the attempts of a job
    #[command(hide = true)]
    Prepare(prepare::Arguments),
    /// In a fan-out: run the agent for the attempts of a job
    #[command(hide = true)]
    Work(work::Arguments),
    /// In a fan-out: capture and judge what a job made
    #[command(hide = true)]
    Collect(collect::Arguments),
    /// In a fan-out: take in what the jobs of a wave made, and say what comes next
    #[command(hide = true)]
    Settle(settle::Arguments),
    /// In a fan-out: run the gates on the integrated tree
    #[command(hide = true)]
    Gate(gate::Arguments),
    /// In a fan-out: recompute everything and write the summary
    #[command(hide = true)]
    Summarize(summarize::Arguments),
}

/// Parses the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    defect::guarded(parse_and_run)
}

fn parse_and_run() -> ExitCode {
    let cli = match Cli::try_parse_from(command_line()) {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own code for bad usage is 2, which is also ours; help and version are no errors.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::BAD_INPUT } else { exit::COMPLETE });
        }
    };
    start_log(cli.verbose);
    let result = match cli.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments, cli.verbose > 0),
        Command::Run(arguments) => run::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Apply(arguments) => apply::run(&arguments),
        Command::Runs(arguments) => runs::runs(&arguments),
        Command::Show(arguments) => runs::show_run(&arguments),
        Command::Logs(arguments) => runs::logs(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Agents(arguments) => agents::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Action(arguments) => action::run(&arguments),
        Command::Prepare(arguments) => prepare::run(&arguments),
        Command::Work(arguments) => work::run(&arguments),
        Command::Collect(arguments) => collect::run(&arguments),
        Command::Settle(arguments) => settle::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Summarize(arguments) => summarize::run(&arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

/// The name under which the container calls us: the same for the step and for what comes after it.
const ACTION_NAME: &str = "backend-implementer-action";

/// Returns the command line. Under the name of the action it is always `action`, whatever stands behind it.
fn command_line() -> Vec<std::ffi::OsString> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let name = arguments.first().and_then(|name| std::path::Path::new(name).file_name());
    if name.is_some_and(|name| name == ACTION_NAME) {
        return vec![ACTION_NAME.into(), "action".into()];
    }
    arguments
}

/// Logs go to standard error; what a command is asked for goes to standard output.
fn start_log(verbose: u8) {
    let default = match verbose {
        // The runner's "debug logging" is as good as asking for it.
        0 if std::env::var("RUNNER_DEBUG").is_ok_and(|debug| debug == "1") => "backend_implementer=debug,info",
        0 => "warn",
        1 => "backend_implementer=info,warn",
        _ => "backend_implementer=trace,info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| log_line::LogLine)
        .with_ansi(colour::Colours::of_stderr().on())
        .with_target(false)
        .try_init();
}

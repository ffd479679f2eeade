//! However the host ends, nothing is left behind.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::busy::Busy;
use crate::program::plugin_host;

/// A busy host that leads a process group of its own, as a shell would have it.
fn busy_group() -> Busy {
    let mut command = plugin_host();
    command.process_group(0);
    Busy::start(command)
}

fn pipes(busy: &Busy) -> Vec<String> {
    let plugins = busy.running.plugins.iter();
    plugins.map(|plugin| plugin.pipe.clone()).collect()
}

fn host(busy: &Busy) -> Pid {
    pid(busy.running.host.id())
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.cast_signed()).unwrap()
}

/// Checks that `pipes` left no files where pipes are.
#[track_caller]
fn assert_nothing_left(pipes: &[String]) {
    let user = rustix::process::getuid().as_raw();
    let folders = [format!("/run/user/{user}"), format!("/tmp/pipe-rpc-{user}")];
    let entries = folders.iter().flat_map(fs::read_dir).flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| pipes.iter().any(|pipe| path.to_string_lossy().contains(pipe));
    let left: Vec<_> = paths.filter(is_ours).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The signals that end a program which does not see to them. Under `nohup` a hang-up does not.
fn ending<const N: usize>(signals: [Signal; N]) -> impl Iterator<Item = Signal> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_ignored = move |signal: &Signal| ignored.unwrap_or(0) >> (signal.as_raw() - 1) & 1 == 1;
    signals.into_iter().filter(move |signal| !is_ignored(signal))
}

#[test]
fn a_killed_host_leaves_no_process_and_no_file() {
    for signal in ending([Signal::KILL, Signal::TERM, Signal::HUP]) {
        let busy = busy_group();
        let pipes = pipes(&busy);
        kill_process(host(&busy), signal).unwrap();
        let (status, _) = busy.running.wait_for_all();
        assert_eq!(status.signal(), Some(signal.as_raw()));
        assert_nothing_left(&pipes);
    }
}

#[test]
fn a_signal_to_the_whole_group_leaves_no_process_and_no_file() {
    for signal in ending([Signal::TERM, Signal::HUP]) {
        let busy = busy_group();
        let pipes = pipes(&busy);
        kill_process_group(host(&busy), signal).unwrap();
        busy.running.wait_for_all();
        assert_nothing_left(&pipes);
    }
}

#[test]
fn ctrl_c_at_a_terminal_leaves_no_process_and_no_file() {
    let busy = busy_group();
    let pipes = pipes(&busy);
    kill_process_group(host(&busy), Signal::INT).unwrap();
    let (status, told) = busy.running.wait_for_all();
    assert_eq!(status.code(), Some(130), "{told}");
    let (first, rest) = told.split_once(": ").unwrap();
    assert_eq!((first, rest.lines().count()), ("plugin_host", 1), "{told}");
    assert!(rest.starts_with("interrupted: of the files "), "{told}");
    assert_nothing_left(&pipes);
}

#[test]
fn an_interrupt_of_the_host_alone_ends_all_too() {
    let busy = busy_group();
    let pipes = pipes(&busy);
    kill_process(host(&busy), Signal::INT).unwrap();
    let (status, told) = busy.running.wait_for_all();
    assert_eq!(status.code(), Some(130), "{told}");
    assert_nothing_left(&pipes);
}

#[test]
fn a_plugin_that_ends_is_started_again_behind_the_same_pipe() {
    for signal in [Signal::KILL, Signal::TERM] {
        let mut busy = busy_group();
        let pipes = pipes(&busy);
        kill_process(pid(busy.running.plugins[0].process), signal).unwrap();
        busy.running.wait_for_plugins(3);
        assert!(pipes.contains(&busy.running.plugins[2].pipe));
        kill_process(host(&busy), Signal::INT).unwrap();
        let (status, told) = busy.running.wait_for_all();
        assert_eq!(status.code(), Some(130), "{told}");
        assert_nothing_left(&pipes);
    }
}

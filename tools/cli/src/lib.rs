//! What the command-line tools do alike: the result of a command for people and as JSON, exit codes, tables, and a
//! sign of life while something takes long.
//!
//! | | standard output | standard error | exit |
//! |---|---|---|---|
//! | success | text, or the JSON envelope with `-j` | | 0 |
//! | failure | the envelope with `-j` | `<tool>: <error>`, then what to do about it if that is known | 1 |
//!
//! The envelope is `{"response": object or null, "error": text or null, "status": number}`: status is 0 or a negative
//! DER_ code.
#![forbid(unsafe_code)]

mod progress;
mod table;

pub use progress::Spinner;
pub use table::Table;

use daos_common::{Der, Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;

/// What a command came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The response of the JSON envelope.
    pub json: Value,
    /// The text for people; ends with a line feed unless it is empty.
    pub text: String,
    /// Set when part of the work failed: the rest is shown, and the tool fails with this.
    pub failure: Option<Error>,
}

impl Outcome {
    /// All went well.
    pub fn new(json: Value, text: impl Into<String>) -> Outcome {
        let mut text = text.into();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Outcome { json, text, failure: None }
    }

    /// Part of it failed, if `failure` is there.
    pub fn with_failure(mut self, failure: Option<Error>) -> Outcome {
        self.failure = failure;
        self
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    response: &'a Value,
    error: Option<String>,
    status: i32,
}

/// Prints the result of a command and gives the exit code of `tool`.
pub fn finish(tool: &str, json: bool, result: Result<Outcome>) -> ExitCode {
    let outcome = result.unwrap_or_else(|error| Outcome::default().with_failure(Some(error)));
    let out = match json {
        true => envelope(&outcome),
        false => outcome.text.clone(),
    };
    // A closed pipe is the reader's choice.
    let _ = std::io::stdout().write_all(out.as_bytes());
    match &outcome.failure {
        None => ExitCode::SUCCESS,
        Some(error) => {
            eprintln!("{tool}: {error}");
            if let Some(resolution) = resolution(error) {
                eprintln!("{tool}: {resolution}");
            }
            ExitCode::FAILURE
        }
    }
}

fn envelope(outcome: &Outcome) -> String {
    let envelope = Envelope {
        response: &outcome.json,
        error: outcome.failure.as_ref().map(Error::to_string),
        status: outcome.failure.as_ref().map_or(0, Error::rc),
    };
    // Only maps with keys that aren't text can fail to serialise, and there are none.
    serde_json::to_string_pretty(&envelope).map(|text| text + "\n").unwrap_or_default()
}

/// What a person can do about an error, where its code alone tells.
fn resolution(error: &Error) -> Option<&'static str> {
    Some(match error.code() {
        Der::UNREACH => "check that daos_server runs on the configured hosts and that they can be reached from here",
        Der::AGENT_COMM => "check that daos_agent runs on this machine (DAOS_AGENT_DRPC_DIR names its directory)",
        Der::CONTROL_INCOMPAT => "check that the system name in the configuration is that of the servers",
        Der::NO_PERM => "check the access control list of the pool or container and the user this runs as",
        Der::NOSPACE => "make the request smaller or free space; `dmg storage scan` and `dmg pool list` show both",
        Der::TIMEDOUT => "the operation may still complete: look at its effect before trying again",
        Der::BUSY => "close what uses it, or use the command's force option if it has one",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Aim: the envelope has exactly its three keys in order, null where there is nothing.
    #[test]
    fn envelopes() {
        let good = envelope(&Outcome::new(json!({"a": 1}), "x"));
        assert_eq!(good, "{\n  \"response\": {\n    \"a\": 1\n  },\n  \"error\": null,\n  \"status\": 0\n}\n");
        let bad = Outcome::default().with_failure(Some(Der::NONEXIST.err("pool tank")));
        let value: Value = serde_json::from_str(&envelope(&bad)).unwrap();
        assert_eq!(value["response"], Value::Null);
        assert_eq!(value["status"], -1005);
        assert_eq!(value["error"], "pool tank [DER_NONEXIST(-1005)]");
    }

    /// Aim: text always ends its last line.
    #[test]
    fn texts_end_lines() {
        assert_eq!(Outcome::new(Value::Null, "a").text, "a\n");
        assert_eq!(Outcome::new(Value::Null, "a\n").text, "a\n");
        assert_eq!(Outcome::new(Value::Null, "").text, "");
    }
}

//! The one mapping between faults and their numbers on the wire, and from the errors of layers to faults.

use std::any::Any;
use std::time::Duration;

use crate::client::BoxError;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{self, Body, BodyLimit, FaultRecord, code, ran};

/// How a handler's result goes over the wire; a result over the limit becomes a fault.
#[inline]
pub(super) fn answer_of(result: Result<Response, Fault>, limit: BodyLimit) -> proto::Answer {
    let response = match result {
        Ok(response) => response,
        Err(fault) => return answer_of_fault(&fault),
    };
    if let Err(fault) = check_size(Outcome::Ran, response.body(), limit) {
        return answer_of_fault(&fault);
    }
    if response.is_failed() {
        return proto::Answer::Failed(response.into_body());
    }
    proto::Answer::Succeeded(response.into_body())
}

#[cold]
fn answer_of_fault(fault: &Fault) -> proto::Answer {
    if fault.outcome().is_safe_to_retry() {
        proto::Answer::Refused(record_of(fault))
    } else {
        proto::Answer::Faulted(record_of(fault))
    }
}

/// The fault of a call whose body is over the limit: of its request, if that was not sent.
#[inline]
pub(super) fn check_size(outcome: Outcome, body: &Body, limit: BodyLimit) -> Result<(), Fault> {
    let size = body.len() as u64;
    if size <= limit.bytes() {
        return Ok(());
    }
    Err(too_large(outcome, size, limit))
}

#[cold]
fn too_large(outcome: Outcome, size: u64, limit: BodyLimit) -> Fault {
    let whose = match (limit, outcome) {
        (BodyLimit::Method(_), Outcome::NotSent) => "a request; its method sets the limit, with max_body",
        (BodyLimit::Method(_), _) => "a response; its method sets the limit, with max_body",
        (BodyLimit::End(_), Outcome::NotSent) => "a request; the other end sets the limit, with max_body",
        (BodyLimit::End(_), _) => "a response; the caller's end sets the limit, with max_body",
    };
    let limit = limit.bytes();
    Fault::new(outcome, Reason::BodyTooLarge { size, limit }).with_detail(whose)
}

/// A fault as it goes over the wire.
pub(super) fn record_of(fault: &Fault) -> FaultRecord {
    let (code, values) = match fault.reason() {
        Reason::Overloaded { retry_after } => (code::OVERLOADED, [retry_after.map_or(0, micros), 0]),
        Reason::DeadlineExceeded => (code::DEADLINE_EXCEEDED, [0; 2]),
        Reason::Cancelled => (code::CANCELLED, [0; 2]),
        Reason::Draining => (code::DRAINING, [0; 2]),
        Reason::UnknownService => (code::UNKNOWN_SERVICE, [0; 2]),
        Reason::UnknownMethod => (code::UNKNOWN_METHOD, [0; 2]),
        Reason::SignatureMismatch => (code::SIGNATURE_MISMATCH, [0; 2]),
        Reason::BodyTooLarge { size, limit } => (code::BODY_TOO_LARGE, [size, limit]),
        Reason::Encode => (code::ENCODE, [0; 2]),
        Reason::Decode => (code::DECODE, [0; 2]),
        Reason::Panicked => (code::PANICKED, [0; 2]),
        Reason::TooDeep => (code::TOO_DEEP, [0; 2]),
        // What happened to a call of the handler's own is, to its caller, the handler's affair.
        Reason::Layer | Reason::ConnectionLost | Reason::WrongCodec | Reason::NoRuntime | Reason::Other => {
            (code::LAYER, [0; 2])
        }
        Reason::Forbidden => (code::FORBIDDEN, [0; 2]),
    };
    let outcome = match fault.outcome() {
        Outcome::NotSent | Outcome::Refused => ran::REFUSED,
        Outcome::MayHaveRun => ran::MAY_HAVE_RUN,
        Outcome::Ran => ran::RAN,
    };
    FaultRecord {
        code,
        outcome,
        values,
        text: text_of(fault),
    }
}

/// A fault that came over the wire.
pub(super) fn fault_of(record: FaultRecord) -> Fault {
    let [first, second] = record.values;
    let reason = match record.code {
        code::OVERLOADED => {
            let retry_after = (first != 0).then(|| Duration::from_micros(first));
            Reason::Overloaded { retry_after }
        }
        code::DEADLINE_EXCEEDED => Reason::DeadlineExceeded,
        code::CANCELLED => Reason::Cancelled,
        code::DRAINING => Reason::Draining,
        code::UNKNOWN_SERVICE => Reason::UnknownService,
        code::UNKNOWN_METHOD => Reason::UnknownMethod,
        code::SIGNATURE_MISMATCH => Reason::SignatureMismatch,
        code::BODY_TOO_LARGE => Reason::BodyTooLarge {
            size: first,
            limit: second,
        },
        code::ENCODE => Reason::Encode,
        code::DECODE => Reason::Decode,
        code::PANICKED => Reason::Panicked,
        code::TOO_DEEP => Reason::TooDeep,
        code::LAYER => Reason::Layer,
        code::FORBIDDEN => Reason::Forbidden,
        _ => Reason::Other,
    };
    let outcome = match record.outcome {
        ran::REFUSED => Outcome::Refused,
        ran::RAN => Outcome::Ran,
        _ => Outcome::MayHaveRun,
    };
    let fault = Fault::new(outcome, reason);
    if record.text.is_empty() {
        fault
    } else {
        fault.with_detail(record.text)
    }
}

/// What an error of a tower layer means for the call. `unless_known`: whether it ran, as far as this place can tell.
pub(crate) fn fault_of_layer(error: BoxError, unless_known: Outcome) -> Fault {
    let error = match error.downcast::<Fault>() {
        Ok(fault) => return *fault,
        Err(error) => error,
    };
    let reason = if error.is::<tower::timeout::error::Elapsed>() {
        Reason::DeadlineExceeded
    } else if error.is::<tower::load_shed::error::Overloaded>() {
        Reason::Overloaded { retry_after: None }
    } else {
        Reason::Layer
    };
    Fault::new(unless_known, reason)
        .with_source(std::sync::Arc::<dyn std::error::Error + Send + Sync>::from(error))
}

/// What a layer's panic means for a call whose method was not entered.
pub(crate) fn fault_of_layer_panic(panic: &(dyn Any + Send)) -> Fault {
    Fault::new(Outcome::Refused, Reason::Layer).with_detail(format!("it panicked: {}", panic_text(panic)))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// The fault's detail and the chain of its sources, which do not travel as errors.
fn text_of(fault: &Fault) -> String {
    let mut text = fault.detail().unwrap_or_default().to_owned();
    let mut source = std::error::Error::source(fault);
    while let Some(error) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

//! What a script says of the frame that has to come.

use super::Frame;

/// What a frame has to be: the same in every byte, or the same in short.
#[derive(Clone, Debug)]
pub struct Expected(Wanted);

#[derive(Clone, Debug)]
enum Wanted {
    Whole(Frame),
    InShort(String),
}

impl Expected {
    pub(super) fn is(&self, frame: &Frame) -> bool {
        match &self.0 {
            Wanted::Whole(wanted) => wanted == frame,
            Wanted::InShort(wanted) => *wanted == frame.to_string(),
        }
    }

    pub(super) fn in_full(&self) -> String {
        match &self.0 {
            Wanted::Whole(wanted) => wanted.in_full(),
            Wanted::InShort(wanted) => wanted.clone(),
        }
    }
}

impl From<Frame> for Expected {
    fn from(frame: Frame) -> Self {
        Self(Wanted::Whole(frame))
    }
}

impl From<&str> for Expected {
    fn from(in_short: &str) -> Self {
        Self(Wanted::InShort(in_short.to_owned()))
    }
}

impl From<String> for Expected {
    fn from(in_short: String) -> Self {
        Self(Wanted::InShort(in_short))
    }
}

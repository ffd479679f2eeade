//! What comes of a call: a value, an error of the method's own, or a stream.

use crate::proto::{Body, Metadata};
use crate::streaming::Items;

/// A method's encoded result; the response type of every tower service here.
#[derive(Debug)]
pub struct Response {
    content: Content,
    metadata: Metadata,
}

#[derive(Debug)]
enum Content {
    Ok(Body),
    Failed(Body),
    Stream(Items),
}

/// That of a response that is a stream.
static NO_BODY: Body = Body::new();

impl Response {
    /// The result of a method that returned a value, or `Ok`.
    #[must_use]
    #[inline]
    pub fn ok(body: Body) -> Self {
        Self::of(Content::Ok(body))
    }

    /// The result of a method that returned `Err`.
    #[must_use]
    #[inline]
    pub fn failed(body: Body) -> Self {
        Self::of(Content::Failed(body))
    }

    /// The result of a method that returned a stream.
    #[must_use]
    pub fn stream(items: Items) -> Self {
        Self::of(Content::Stream(items))
    }

    #[inline]
    fn of(content: Content) -> Self {
        let metadata = Metadata::new();
        Self { content, metadata }
    }

    /// Whether the result is a stream.
    #[must_use]
    #[inline]
    pub fn is_stream(&self) -> bool {
        matches!(self.content, Content::Stream(_))
    }

    /// The items of a result that is a stream.
    #[must_use]
    pub fn into_items(self) -> Option<Items> {
        match self.content {
            Content::Stream(items) => Some(items),
            Content::Ok(_) | Content::Failed(_) => None,
        }
    }

    /// The same with metadata, in place of what it had.
    #[must_use]
    #[inline]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// What travels beside the result.
    #[must_use]
    #[inline]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What is to travel beside the result, for layers.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The same, holding `guard` for as long as its stream lasts, if it is one.
    pub(crate) fn holding(self, guard: impl Send + 'static) -> Self {
        self.map_items(|items| items.holding(guard))
    }

    /// The same with other items, if it is a stream.
    pub(crate) fn map_items(self, change: impl FnOnce(Items) -> Items) -> Self {
        let Self { content, metadata } = self;
        let content = match content {
            Content::Stream(items) => Content::Stream(change(items)),
            other => other,
        };
        Self { content, metadata }
    }

    /// Whether the method returned `Err`.
    #[must_use]
    #[inline]
    pub fn is_failed(&self) -> bool {
        matches!(self.content, Content::Failed(_))
    }

    /// The encoded value or error.
    #[must_use]
    #[inline]
    pub fn body(&self) -> &Body {
        match &self.content {
            Content::Ok(body) | Content::Failed(body) => body,
            Content::Stream(_) => &NO_BODY,
        }
    }

    /// The encoded value or error.
    #[must_use]
    #[inline]
    pub fn into_body(self) -> Body {
        match self.content {
            Content::Ok(body) | Content::Failed(body) => body,
            Content::Stream(_) => Body::new(),
        }
    }
}

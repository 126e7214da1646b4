//! What the hub asks of a running transfer, until the transfer comes to it.

use crate::hub::{CallError, Step};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use worker::js_sys::Uint8Array;

/// A step and, for those that need it, the payload of the message that led to it.
pub struct Post {
    /// What to do.
    pub step: Step,
    /// A view into the message.
    pub payload: Option<Uint8Array>,
}

/// The steps of one transfer. A failure does not wait behind the others.
#[derive(Default)]
pub struct Mailbox {
    posts: RefCell<VecDeque<Post>>,
    failure: RefCell<Option<CallError>>,
    waker: RefCell<Option<Waker>>,
}

impl Mailbox {
    /// Appends a step.
    pub fn post(&self, post: Post) {
        match post.step {
            Step::Fail(error) => drop(self.failure.borrow_mut().get_or_insert(error)),
            _ => self.posts.borrow_mut().push_back(post),
        }
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The next step.
    ///
    /// # Errors
    /// Why the transfer failed.
    pub async fn next(&self) -> Result<Post, CallError> {
        poll_fn(|context| match self.poll_failure(context) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => match self.posts.borrow_mut().pop_front() {
                Some(post) => Poll::Ready(Ok(post)),
                None => Poll::Pending,
            },
        })
        .await
    }

    /// Waits for `future` for as long as the transfer lives.
    ///
    /// # Errors
    /// Why the transfer failed.
    pub async fn during<T>(&self, future: impl Future<Output = T>) -> Result<T, CallError> {
        let mut future = pin!(future);
        poll_fn(|context| match self.poll_failure(context) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => future.as_mut().poll(context).map(Ok),
        })
        .await
    }

    /// Pending unless the transfer failed; whoever polls is woken by the next post.
    fn poll_failure(&self, context: &Context<'_>) -> Poll<CallError> {
        if let Some(error) = self.failure.borrow().clone() {
            return Poll::Ready(error);
        }
        *self.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

//! GET /api/v1/events: what happens, as server-sent events, and the progress every second between.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, Sse},
    },
};
use futures_util::stream;
use mongoferry_protocol::Event;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, interval},
};

use super::{answers, progress::answer_of};
use crate::board::Board;

const PROGRESS_EVERY: Duration = Duration::from_secs(1);

struct Follower {
    board: Board,
    events: Receiver<Event>,
    ticks: Interval,
}

/// What happened before is in the status.
pub async fn follow(State(board): State<Board>) -> Response {
    if board.led().is_none() {
        return answers::standing_by();
    }
    let follower = Follower { events: board.events(), ticks: interval(PROGRESS_EVERY), board };
    Sse::new(stream::unfold(follower, Follower::next)).into_response()
}

impl Follower {
    /// Ends with the process.
    async fn next(mut self) -> Option<(Result<Sent, Infallible>, Self)> {
        loop {
            let sent = tokio::select! {
                biased;
                () = self.board.stopped() => return None,
                event = self.events.recv() => match event {
                    Ok(event) => Sent::default().event(event.event.as_str()).id(&event.id).json_data(&event),
                    // Too slow for so many: the status tells the rest.
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return None,
                },
                _ = self.ticks.tick() => match self.board.status() {
                    Some(status) => Sent::default().event("progress").json_data(answer_of(&status)),
                    None => continue,
                },
            };
            return Some((Ok(sent.expect("events are plain data")), self));
        }
    }
}

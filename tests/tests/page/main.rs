//! The page of the coordinator in a real Chromium, against a running migration. Needs `chromium` and `chromedriver` (Debian:
//! `chromium`, `chromium-driver`). What it looked like is kept in `target/tmp/page`, at the width of a desk and of a phone.

mod beginning;
mod browser;
mod confirmations;
mod token;
mod walk_through;

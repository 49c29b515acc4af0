//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

pub(crate) mod http;

use crate::system::System;

/// The running Windows.
pub struct Windows;

impl System for Windows {}

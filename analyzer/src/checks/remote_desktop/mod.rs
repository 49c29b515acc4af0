//! Checks of the way in by Remote Desktop.

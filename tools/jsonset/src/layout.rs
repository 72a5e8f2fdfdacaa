//! How the text around an edit is laid out, so that what is new looks like it.

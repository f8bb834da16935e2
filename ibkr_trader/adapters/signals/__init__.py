"""Where signals come from: one file a source, each of which only translates and hands over."""

"""Programs as native code, made with LLVM: loops that read each input once and write each result once."""

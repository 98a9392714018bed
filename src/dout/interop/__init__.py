"""Bridges to other libraries, each imported when it is asked for: `import dout.interop.scipy`."""

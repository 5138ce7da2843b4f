"""The assembly: settings, application, sign-in, command line, demo and doctor.  It holds no rule."""

import fc from 'fast-check';

// The search for a smaller counterexample takes longer than everything else.
fc.configureGlobal({ endOnFailure: true });

/** Preloaded into a daemon by tests: an error that nobody catches, whenever they want it. */
process.on('SIGUSR2', () => {
  void Promise.reject(new Error('nobody caught this'));
});

/** Preloaded into a daemon by tests: takes memory until there is none, whenever they want it. */
process.on('SIGUSR2', () => {
  const taken: number[][] = [];
  for (;;) taken.push(Array.from({ length: 100_000 }, Math.random));
});

import type { Redactor } from '../domain/redact.ts';
import type { Command, Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';

/**
 * The same shell, whose commands teach the redactor what is secret: whatever is handed over in a variable that is called
 * so. A tool that repeats its password in an error message is then not repeated by us.
 */
export function learningShell(shell: Shell, redactor: Redactor): Shell {
  const learn = (command: Command): Command => {
    learnSecrets(command.env ?? {}, shell.container, redactor);
    return command;
  };
  const learning: Pick<Shell, 'text' | 'run' | 'output' | 'session' | 'pipe'> = {
    text: (command, ...rest) => shell.text(learn(command), ...rest),
    run: (command, ...rest) => shell.run(learn(command), ...rest),
    output: (command, ...rest) => shell.output(learn(command), ...rest),
    session: (command, ...rest) => shell.session(learn(command), ...rest),
    pipe: (command) => shell.pipe(learn(command)),
  };
  // A copy would freeze what is read anew each time, such as the container.
  return Object.assign(Object.create(shell) as Shell, learning);
}

/** Teaches the redactor the secrets among these variables. */
export function learnSecrets(env: Readonly<Record<string, string>>, container: Container, redactor: Redactor): void {
  const known = learnt.get(redactor) ?? new Set();
  learnt.set(redactor, known);
  const fresh = Object.entries(env).filter(([name, value]) => isSecret(name) && value !== '' && !known.has(value));
  if (fresh.length === 0) return;
  const words = ordinaryWords(container);
  for (const [, value] of fresh) {
    known.add(value);
    if (!words.has(value.toLowerCase())) redactor.add(value);
  }
}

/** What each redactor was taught: every command of a long run brings the same again. */
const learnt = new WeakMap<Redactor, Set<string>>();

// --- utils ---

function isSecret(name: string): boolean {
  return /(PASSWORD|PASSWD|PWD|PASSPHRASE|AUTH|TOKEN|SECRET|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$/i.test(name);
}

/** A password that is also a name hides nothing, and taking it out would make every line unreadable. */
function ordinaryWords({ service, stack, name, image, env }: Container): ReadonlySet<string> {
  const values = Object.entries(env).flatMap(([key, value]) => (isSecret(key) ? [] : [value]));
  return new Set([service, stack, name, ...image.split(/[/:@]/), ...values].map((word) => word.toLowerCase()));
}

import { shellQuote } from '../domain/naming.ts';
import type { Container } from '../domain/types.ts';
import { type Found, shellWord } from './credential.ts';

/** How a person's client comes in; the password goes into the variable that the client reads. */
export interface TypedLogin {
  readonly user: Found | string;
  readonly password: Found | undefined;
  readonly variable: 'PGPASSWORD' | 'MYSQL_PWD';
}

/**
 * The line a person types to run a script of clients: in the container, where the login is found as the container itself
 * finds it, or by the tools' image on its network, which takes the password from the shell of that person.
 */
export function typedLine(
  { name, env }: Container,
  tools: string | undefined,
  { user, password, variable }: TypedLogin,
  script: (user: string) => string,
): string {
  const container = shellQuote(name);
  const file = typeof user !== 'string' && user.kind === 'file' ? user : undefined;
  const known = shellQuote(typeof user === 'string' ? user : user.kind === 'variable' ? (env[user.name] ?? '') : '');
  if (tools === undefined) {
    const login = password ? `export ${variable}=${shellWord(password)}; ` : '';
    return `docker exec -i ${container} sh -c ${shellQuote(login + script(file ? shellWord(file) : known))}`;
  }
  const run = `docker run --rm -i --network container:${container} -e ${variable} ${shellQuote(tools)} sh -c`;
  if (!file) return `${run} ${shellQuote(script(known))}`;
  return `${run} ${shellQuote(script('"$1"'))} sh "$(docker exec -u 0 ${container} cat ${shellQuote(file.path)})"`;
}

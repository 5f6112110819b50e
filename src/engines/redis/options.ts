import { z } from 'zod';
import { type Grammar, grammar } from '../../domain/grammar.ts';
import { option, optionInteger, optionOneOf, optionText } from '../../domain/option.ts';

const folder: Grammar<string> = grammar(
  { name: 'folder', allowed: 'an absolute path inside the container', examples: ['/data'] },
  (text, reject) => (text.startsWith('/') ? text : reject('it does not begin with /')),
);

export const RedisOptions = z.strictObject({
  user: optionText().optional().describe('ACL user to log in as. Default: the server’s default user.'),
  'password-env': optionText().optional().describe('Name of the variable in that container that holds the password.'),
  'password-file': optionText().optional().describe('Path inside that container of the file that holds the password.'),
  port: optionInteger(1, 65_535)
    .optional()
    .describe('Port the server listens on. Default: the one in its command line or configuration file, else 6379.'),
  tls: optionOneOf(['auto', 'on', 'off'])
    .prefault('auto')
    .describe('Whether the server wants TLS. Default: when it has a TLS port and no other.'),
  'data-dir': option(folder, z.string())
    .optional()
    .describe('Folder inside that container where the server keeps its data, when the server does not tell (CONFIG).'),
});
export type RedisOptions = z.infer<typeof RedisOptions>;

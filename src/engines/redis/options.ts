import { z } from 'zod';

export const RedisOptions = z.strictObject({
  user: z.string().min(1).optional().describe('ACL user to log in as. Default: the server’s default user.'),
  'password-env': z
    .string()
    .min(1)
    .optional()
    .describe('Name of the variable in that container that holds the password.'),
  'password-file': z
    .string()
    .min(1)
    .optional()
    .describe('Path inside that container of the file that holds the password.'),
  port: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Port the server listens on. Default: the one in its command line or configuration file, else 6379.'),
  tls: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('Whether the server wants TLS. Default: when it has a TLS port and no other.'),
  'data-dir': z
    .string()
    .startsWith('/')
    .optional()
    .describe('Folder inside that container where the server keeps its data, when the server does not tell (CONFIG).'),
});
export type RedisOptions = z.infer<typeof RedisOptions>;

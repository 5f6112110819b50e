import { mysqlBench } from './support/mysql.ts';

export default mysqlBench({ image: 'mariadb:11.8', dump: 'mariadb-dump', client: 'mariadb', admin: 'mariadb-admin' });

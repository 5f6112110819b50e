import { mysqlBench } from './support/mysql.ts';

export default mysqlBench({ image: 'mysql:9', dump: 'mysqldump', client: 'mysql', admin: 'mysqladmin' });

export { damerauLevenshtein, nearest } from '../domain/nearest.ts';

import { apiOfThisPage } from './admin-api.js';
import { Board } from './board.js';

new Board(apiOfThisPage()).start();

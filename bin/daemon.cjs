// What bin/berthd runs once it has made its mount namespace.
require('./start.cjs').start('berthd');

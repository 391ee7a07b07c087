// Package dashboard is the built-in web page: pictures and tables of what schema analytics says, for people who look rather
// than ask.
//
// A page is a list of panels, and a panel is data (pages.go): a definition, a unit, a kind of picture, and the one SQL statement
// in sql/ that gives its rows. One way leads from there to all that is shown of it: the filters in the URL become the
// statement's arguments, the rows it returns are drawn, written as a table, and offered as CSV, and the statement itself stands behind a
// link with the arguments written in, ready for psql. So a number on the page is the number the SQL gives.
//
// It only reads: schemas inbox and analytics, in read-only transactions with a time limit, as a role that archiver grant lets
// read when one is named. What people wrote (names, titles) is hostile until html/template has escaped it. Pages need no script
// and load nothing from elsewhere; the Content-Security-Policy allows neither. docs/dashboard.md says how to put it on a network.
package dashboard

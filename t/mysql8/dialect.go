// dialect - what TiDB's grammar takes, MariaDB too, and MySQL 8 does not: IF [NOT] EXISTS inside ALTER TABLE
// and on indexes, sequences; and names no grammar knows: functions and variables.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
)

// Functions that MySQL 8 and MariaDB 10.6 both have. One that is missing here is looked up in MySQL 8's manual
// before it is added.
var functions = strings.Fields(`abs avg char_length coalesce concat connection_id count current_timestamp
	database date_add date_format date_sub find_in_set floor from_unixtime greatest group_concat if ifnull
	json_extract json_object json_valid last_insert_id least left length lower max min mod now nullif
	replace right round row_count sleep substring sum timestampdiff truncate unix_timestamp upper
	utc_timestamp version`)

// Variables that both have, in the session and to read. tx_isolation is how the parser names
// SET TRANSACTION ISOLATION LEVEL; written out it is another name in each of the two.
var variables = strings.Fields(`autocommit character_set_client collation_connection foreign_key_checks hostname
	innodb_flush_log_at_trx_commit innodb_lock_wait_timeout lock_wait_timeout max_allowed_packet
	max_connections net_read_timeout net_write_timeout read_only server_id sql_mode system_time_zone
	time_zone version version_comment wait_timeout`)

var fetch = regexp.MustCompile(`\bfetch\s+(first|next)\b`)

type dialect struct {
	text    string // of the statement, in small letters
	strange []string
}

func (d *dialect) note(format string, args ...any) {
	d.strange = append(d.strange, fmt.Sprintf(format, args...))
}

func (d *dialect) variable(name string) {
	name = strings.ToLower(name)
	if name == "tx_isolation" && !strings.Contains(d.text, name) {
		return
	}
	// SET NAMES
	if name == ast.SetNames || slices.Contains(variables, name) {
		return
	}
	d.note("variable %s: is it one of MySQL 8's?", name)
}

func (d *dialect) function(name string) {
	if !slices.Contains(functions, strings.ToLower(name)) {
		d.note("function %s: is it one of MySQL 8's?", name)
	}
}

func (d *dialect) Enter(n ast.Node) (ast.Node, bool) {
	switch n := n.(type) {
	case *ast.AlterTableSpec:
		if n.IfExists || n.IfNotExists {
			d.note("IF [NOT] EXISTS inside ALTER TABLE")
		}
	case *ast.Constraint:
		if n.IfNotExists {
			d.note("IF NOT EXISTS inside ALTER TABLE")
		}
	case *ast.Limit:
		if fetch.MatchString(d.text) {
			d.note("FETCH FIRST: MySQL 8 has LIMIT")
		}
	case *ast.CreateIndexStmt:
		if n.IfNotExists {
			d.note("CREATE INDEX IF NOT EXISTS")
		}
	case *ast.DropIndexStmt:
		if n.IfExists {
			d.note("DROP INDEX IF EXISTS")
		}
	case *ast.CreateSequenceStmt, *ast.DropSequenceStmt, *ast.AlterSequenceStmt:
		d.note("a sequence")
	case *ast.FuncCallExpr:
		d.function(n.FnName.L)
	case *ast.AggregateFuncExpr:
		d.function(n.F)
	case *ast.VariableAssignment:
		if n.IsSystem {
			d.variable(n.Name)
		}
	case *ast.VariableExpr:
		if n.IsSystem {
			d.variable(n.Name)
		}
	}
	return n, false
}

func (d *dialect) Leave(n ast.Node) (ast.Node, bool) {
	return n, true
}

// strangeIn names what MySQL 8 would refuse in a statement that the grammar took.
func strangeIn(text string, nodes []ast.StmtNode) []string {
	d := &dialect{text: strings.ToLower(text)}
	for _, n := range nodes {
		n.Accept(d)
	}
	return d.strange
}

package projections
import ("testing";"fmt";"os";"strings";"time";"path/filepath"
"zombiezen.com/go/sqlite"
"zombiezen.com/go/sqlite/sqlitex")
func TestY(t *testing.T) {
 must:=func(err error){ if err!=nil{t.Fatal(err)}}
 for _,k:=range []int{1,8,32} {
 dir,_:=os.MkdirTemp("/tmp","exp"); defer os.RemoveAll(dir)
 c,err:=sqlite.OpenConn(filepath.Join(dir,"v.db"),sqlite.OpenReadWrite|sqlite.OpenCreate); if err!=nil{t.Fatal(err)}
 for _,s:=range strings.Split("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-32768",";") {must(sqlitex.ExecuteTransient(c,s,nil))}
 must(sqlitex.ExecuteTransient(c,`CREATE TABLE d(account INTEGER NOT NULL,class INTEGER NOT NULL,doc TEXT NOT NULL,issued_on INTEGER NOT NULL DEFAULT 0,due_on INTEGER NOT NULL DEFAULT 0,open INTEGER NOT NULL DEFAULT 0,total INTEGER NOT NULL DEFAULT 0,last_on INTEGER NOT NULL DEFAULT 0,last_position INTEGER NOT NULL DEFAULT 0,first_position INTEGER NOT NULL DEFAULT 0,settled INTEGER NOT NULL DEFAULT 0,number TEXT NOT NULL DEFAULT '',PRIMARY KEY(account,class,doc)) WITHOUT ROWID`,nil))
 row:="(?,?,?,?,?,?,?,?,?,?,?)"
 ins,err:=c.Prepare(`INSERT INTO d(account,class,doc,issued_on,due_on,open,total,last_on,last_position,first_position,number) VALUES`+strings.Repeat(row+",",k-1)+row); must(err)
 n:=1000000/k*k
 docs:=make([]string,n); for i:=range docs{docs[i]=fmt.Sprintf("INV-%08d",i)}
 start:=time.Now()
 must(sqlitex.ExecuteTransient(c,"BEGIN",nil))
 for i:=0;i<n;i+=k { for j:=0;j<k;j++{ p:=j*11; d:=docs[i+j]; x:=int64(i+j)
  ins.BindInt64(p+1,1<<32+x/100);ins.BindInt64(p+2,1);ins.BindText(p+3,d);ins.BindInt64(p+4,740000);ins.BindInt64(p+5,740030);ins.BindInt64(p+6,1000);ins.BindInt64(p+7,1000);ins.BindInt64(p+8,740000);ins.BindInt64(p+9,x);ins.BindInt64(p+10,x);ins.BindText(p+11,d)}
  if _,err:=ins.Step();err!=nil{t.Fatal(err)}; must(ins.Reset()) }
 must(sqlitex.ExecuteTransient(c,"COMMIT",nil))
 el:=time.Since(start); fmt.Println("insert k",k,el, el/time.Duration(n))
 // json bulk
 start=time.Now()
 s,_:=c.Prepare(`SELECT account,class,doc,issued_on,due_on,open,total,last_on FROM d WHERE open<>0 OR last_on>740000`)
 var buf [64]byte; cnt:=0; sum:=int64(0)
 for { r,err:=s.Step(); must(err); if !r {break}; cnt++; sum+=s.ColumnInt64(0)+s.ColumnInt64(1)+int64(s.ColumnBytes(2,buf[:]))+s.ColumnInt64(3)+s.ColumnInt64(4)+s.ColumnInt64(5)+s.ColumnInt64(6)+s.ColumnInt64(7)}
 fmt.Println("scan",cnt,time.Since(start),sum)
 start=time.Now(); cnt=0
 s,_=c.Prepare(`SELECT account,issued_on,due_on,open FROM d WHERE open<>0 OR last_on>740000`)
 for { r,err:=s.Step(); must(err); if !r {break}; cnt++; sum+=s.ColumnInt64(0)+s.ColumnInt64(1)+s.ColumnInt64(2)+s.ColumnInt64(3)}
 fmt.Println("scan narrow",cnt,time.Since(start),sum)
 start=time.Now(); cnt=0
 s,_=c.Prepare(`SELECT account,issued_on,due_on,open FROM d WHERE open<>1000 OR last_on>740000`)
 for { r,err:=s.Step(); must(err); if !r {break}; cnt++}
 fmt.Println("scan none",cnt,time.Since(start),sum)
 start=time.Now(); cnt=0
 s,_=c.Prepare(`SELECT account,sum(open),sum(case when 740060-due_on<=0 then open end),sum(case when 740060-due_on between 1 and 30 then open end),sum(case when 740060-due_on between 31 and 60 then open end),sum(case when 740060-due_on between 61 and 90 then open end),sum(case when 740060-due_on >90 then open end) FROM d WHERE open<>0 OR last_on>740000 GROUP BY account`)
 for { r,err:=s.Step(); must(err); if !r {break}; cnt++}
 fmt.Println("agg",cnt,time.Since(start),sum)
 c.Close()
 }
}

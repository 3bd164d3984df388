package projections
import ("testing";"fmt";"os";"sort";"strings";"time";"math/rand";"path/filepath"
"zombiezen.com/go/sqlite"
"zombiezen.com/go/sqlite/sqlitex")
type rw struct{acc int64; class int64; doc string; minor int64; on int64; pos int64; create bool}
func run(t *testing.T, name string, pragmas string, batch int, n int, page int) {
 dir,_:=os.MkdirTemp("/tmp","exp"); defer os.RemoveAll(dir)
 c,err:=sqlite.OpenConn(filepath.Join(dir,"v.db"),sqlite.OpenReadWrite|sqlite.OpenCreate); if err!=nil{t.Fatal(err)}
 defer c.Close()
 must:=func(err error){ if err!=nil{t.Fatal(err)}}
 for _,s:=range strings.Split(fmt.Sprintf("PRAGMA page_size=%d;",page)+pragmas,";") { if s!="" {must(sqlitex.ExecuteTransient(c,s,nil))} }
 must(sqlitex.ExecuteTransient(c,`CREATE TABLE d(account INTEGER NOT NULL,class INTEGER NOT NULL,doc TEXT NOT NULL,issued_on INTEGER NOT NULL DEFAULT 0,due_on INTEGER NOT NULL DEFAULT 0,open INTEGER NOT NULL DEFAULT 0,total INTEGER NOT NULL DEFAULT 0,last_on INTEGER NOT NULL DEFAULT 0,last_position INTEGER NOT NULL DEFAULT 0,first_position INTEGER NOT NULL DEFAULT 0,settled INTEGER NOT NULL DEFAULT 0,number TEXT NOT NULL DEFAULT '',PRIMARY KEY(account,class,doc)) WITHOUT ROWID`,nil))
 must(sqlitex.ExecuteTransient(c,`CREATE TABLE m(account INTEGER NOT NULL,class INTEGER NOT NULL,doc TEXT NOT NULL,position INTEGER NOT NULL,n INTEGER NOT NULL,on_day INTEGER NOT NULL,minor INTEGER NOT NULL,what INTEGER NOT NULL,effect INTEGER NOT NULL,PRIMARY KEY(account,class,doc,position,n)) WITHOUT ROWID`,nil))
 ins,err:=c.Prepare(`INSERT INTO d(account,class,doc,issued_on,due_on,open,total,last_on,last_position,first_position,number) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(account,class,doc) DO UPDATE SET issued_on=excluded.issued_on,due_on=excluded.due_on,open=open+excluded.open,total=excluded.total,last_on=max(last_on,excluded.last_on),last_position=max(last_position,excluded.last_position),first_position=excluded.first_position,number=excluded.number`); must(err)
 up,err:=c.Prepare(`INSERT INTO d(account,class,doc,open,last_on,last_position,settled) VALUES(?,?,?,?,?,?,?) ON CONFLICT(account,class,doc) DO UPDATE SET open=open+excluded.open,last_on=max(last_on,excluded.last_on),last_position=max(last_position,excluded.last_position),settled=settled+excluded.settled`); must(err)
 mv,err:=c.Prepare(`INSERT INTO m VALUES(?,?,?,?,?,?,?,?,?)`); must(err)
 r:=rand.New(rand.NewSource(1))
 // invoice k by account r; payment for invoice k-lag
 var list []struct{acc int64; doc string}
 start:=time.Now(); rows:=0; events:=0
 var ds []rw; var ms []rw
 flush:=func(){
  sort.Slice(ds,func(i,j int)bool{a,b:=&ds[i],&ds[j]; if a.acc!=b.acc {return a.acc<b.acc}; if a.class!=b.class{return a.class<b.class}; return a.doc<b.doc})
  sort.Slice(ms,func(i,j int)bool{a,b:=&ms[i],&ms[j]; if a.acc!=b.acc {return a.acc<b.acc}; return a.doc<b.doc})
  must(sqlitex.ExecuteTransient(c,"BEGIN",nil))
  for i:=range ds{ d:=&ds[i]
   if d.create { ins.BindInt64(1,d.acc);ins.BindInt64(2,d.class);ins.BindText(3,d.doc);ins.BindInt64(4,d.on);ins.BindInt64(5,d.on);ins.BindInt64(6,d.minor);ins.BindInt64(7,d.minor);ins.BindInt64(8,d.on);ins.BindInt64(9,d.pos);ins.BindInt64(10,d.pos);ins.BindText(11,d.doc); if _,err:=ins.Step();err!=nil{t.Fatal(err)}; must(ins.Reset())
   } else { up.BindInt64(1,d.acc);up.BindInt64(2,d.class);up.BindText(3,d.doc);up.BindInt64(4,d.minor);up.BindInt64(5,d.on);up.BindInt64(6,d.pos);up.BindInt64(7,-d.minor); if _,err:=up.Step();err!=nil{t.Fatal(err)}; must(up.Reset()) }
  }
  for i:=range ms{ d:=&ms[i]; mv.BindInt64(1,d.acc);mv.BindInt64(2,d.class);mv.BindText(3,d.doc);mv.BindInt64(4,d.pos);mv.BindInt64(5,0);mv.BindInt64(6,d.on);mv.BindInt64(7,d.minor);mv.BindInt64(8,1);mv.BindInt64(9,0); if _,err:=mv.Step();err!=nil{t.Fatal(err)}; must(mv.Reset()) }
  must(sqlitex.ExecuteTransient(c,"COMMIT",nil))
  rows+=len(ds)+len(ms); ds,ms=ds[:0],ms[:0]
 }
 inv:=0
 for i:=0;i<n;i++{
  events++
  if i%2==0 || inv+5000>len(list) { a:=int64(r.Intn(10000))+1<<32; doc:=fmt.Sprintf("INV-%08d",i); list=append(list,struct{acc int64;doc string}{a,doc}); ds=append(ds,rw{a,1,doc,1000,int64(700000+i/1000),int64(i),true})
  } else { l:=list[inv]; inv++; ds=append(ds,rw{l.acc,2,fmt.Sprintf("PAY-%08d",i),0,int64(700000+i/1000),int64(i),true}); ds=append(ds,rw{l.acc,1,l.doc,-1000,int64(700000+i/1000),int64(i),false}); ms=append(ms,rw{l.acc,1,l.doc,-1000,int64(700000+i/1000),int64(i),false}) }
  if len(ds)+len(ms)>=batch {flush()}
 }
 flush()
 el:=time.Since(start)
 fi,_:=os.Stat(filepath.Join(dir,"v.db"))
 fmt.Printf("%-40s batch %7d: %d events %d rows %v  %.2f us/event %.2f us/row size %dMB\n",name,batch,events,rows,el.Round(time.Millisecond),float64(el.Microseconds())/float64(events),float64(el.Microseconds())/float64(rows),fi.Size()>>20)
}
func TestX(t *testing.T){
 wal:="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;"
 off:="PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-32768;"
 run(t,"wal 4k",wal,50000,1000000,4096)
 run(t,"wal 4k",wal,200000,1000000,4096)
 run(t,"off 4k",off,50000,1000000,4096)
 run(t,"off 4k",off,200000,1000000,4096)
 run(t,"off 16k",off,200000,1000000,16384)
 run(t,"off all sorted",off,100000000,1000000,4096)
}

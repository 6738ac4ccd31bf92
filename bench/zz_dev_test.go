package main
import ("testing";"context";"fmt";"os")
func TestDev(t *testing.T){
 b:=&bench{work:t.TempDir(),name:"gazette"}
 if w:=os.Getenv("DEVWORK");w!=""{b.work=w}
 if err:=gazetteSearch(context.Background(),b,"");err!=nil{t.Fatal(err)}
 for _,f:=range b.figures{fmt.Println(f)}
}
